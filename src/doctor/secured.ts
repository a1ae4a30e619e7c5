/** AWS: every request to a topic or queue with SSE-KMS must be HTTPS and signed. */
export function secured<T extends { readonly allowed: boolean; readonly reason: string }>(
  verdict: T,
): T {
  if (!verdict.allowed) return verdict;
  return {
    ...verdict,
    reason: `${verdict.reason}; by signed HTTPS requests, since it has SSE-KMS`,
  };
}
