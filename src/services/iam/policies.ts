import { checkPolicy, PolicyError } from "../../auth/policy/index.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { NamedPolicy } from "../../kernel/policy.ts";
import { limitExceeded, malformedPolicy, noSuchEntity } from "./refusals.ts";

/** AWS: characters of one version of a managed policy, white space not counted. */
const managedCharactersMax = 6144;

export function withPolicy(
  policies: readonly NamedPolicy[],
  name: string,
  text: string,
): readonly NamedPolicy[] {
  const others = policies.filter((policy) => policy.name !== name);
  const added: NamedPolicy = { name, policy: { text, principalIds: {} } };
  return [...others, added].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Throws NoSuchEntity. */
export function requirePolicy(
  label: "User" | "Group" | "Role",
  policies: readonly NamedPolicy[],
  name: string,
): NamedPolicy {
  const found = policies.find((policy) => policy.name === name);
  if (found) return found;
  throw noSuchEntity(`The ${label.toLowerCase()} policy with name ${name} cannot be found.`);
}

function characters(text: string): number {
  return text.replace(/\s/gu, "").length;
}

/** Throws LimitExceeded. */
export function requireInlineQuota(
  holder: { readonly label: string; readonly name: string; readonly charactersMax: number },
  policies: readonly NamedPolicy[],
): void {
  const { label, name, charactersMax } = holder;
  const used = policies.reduce((sum, { policy }) => sum + characters(policy.text), 0);
  if (used <= charactersMax) return;
  throw limitExceeded(
    `Maximum policy size of ${charactersMax} bytes exceeded for ${label.toLowerCase()} ${name}`,
  );
}

/** AWS: documents come back URL-encoded by RFC 3986. */
export function encodedDocument(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Throws MalformedPolicyDocument. */
export function requireIdentityPolicy(text: string): void {
  try {
    checkPolicy(text, "identity");
  } catch (error) {
    if (error instanceof PolicyError) throw malformedDocument(error);
    throw error;
  }
}

/** The document of a managed policy. Throws MalformedPolicyDocument, LimitExceeded. */
export function requireManagedDocument(text: string): void {
  requireIdentityPolicy(text);
  if (characters(text) > managedCharactersMax) {
    throw limitExceeded(`Cannot exceed quota for PolicySize: ${managedCharactersMax}`);
  }
}

/** AWS's own sentences come first and unchanged; the place follows. */
const ownSentences =
  /^(Policy |Statement IDs|Resource |IAM resource|Actions\/|Conditions must|Vendor |Partition |Has prohibited|Invalid principal)/;

/** What is wrong with a document and where, after AWS's sentence for it. */
export function malformedDocument(error: PolicyError): Refusal {
  const { path, reason, kind, message } = error;
  if (kind === "syntax") return malformedPolicy(`This policy contains invalid Json (${message})`);
  if (!ownSentences.test(reason)) return malformedPolicy(`Syntax errors in policy. ${message}`);
  return malformedPolicy(path === "" ? reason : `${reason} (${path})`);
}
