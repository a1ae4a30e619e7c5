import { manyTexts, memoText } from "../../kernel/memo.ts";

const accountPattern = /^\d{12}$/;
const namePattern = /^[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/;

export interface QueueAddress {
  readonly accountId: string;
  readonly name: string;
}

/**
 * Reads a queue URL: `/<account>/<name>` behind any host, or without one. A bare name belongs to
 * the caller's account. undefined: names no queue.
 *
 * AWS: hosts of older forms and bare names are accepted.
 */
export function parseQueueUrl(url: string, callerAccountId: string): QueueAddress | undefined {
  const address = addressIn(url);
  if (address === "none") return undefined;
  return address.accountId === "" ? { ...address, accountId: callerAccountId } : address;
}

/** Account "": a bare name. */
const addressIn = memoText((url): QueueAddress | "none" => {
  const nameAt = url.lastIndexOf("/") + 1;
  const name = url.slice(nameAt);
  if (!namePattern.test(name)) return "none";
  if (nameAt === 0) return { accountId: "", name };
  const accountAt = url.lastIndexOf("/", nameAt - 2) + 1;
  const accountId = url.slice(accountAt, nameAt - 1);
  return accountPattern.test(accountId) ? { accountId, name } : "none";
}, manyTexts);

export function formatQueueUrl(baseUrl: string, accountId: string, name: string): string {
  return `${baseUrl}/${accountId}/${name}`;
}
