import { checkPolicy, PolicyError } from "../../auth/policy/index.ts";
import type { NamedPolicy } from "../../kernel/policy.ts";
import { limitExceeded, malformedPolicy, noSuchEntity } from "./refusals.ts";

/** AWS: all inline policies of a user together, white space not counted. */
const inlineCharactersMax = 2048;

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
export function requirePolicy(policies: readonly NamedPolicy[], name: string): NamedPolicy {
  const found = policies.find((policy) => policy.name === name);
  if (!found) throw noSuchEntity(`The user policy with name ${name} cannot be found.`);
  return found;
}

/** Throws LimitExceeded. */
export function requireInlineQuota(userName: string, policies: readonly NamedPolicy[]): void {
  const characters = policies
    .map(({ policy }) => policy.text.replace(/\s/gu, "").length)
    .reduce((sum, length) => sum + length, 0);
  if (characters > inlineCharactersMax) {
    throw limitExceeded(
      `Maximum policy size of ${inlineCharactersMax} bytes exceeded for user ${userName}`,
    );
  }
}

/** AWS: documents come back URL-encoded by RFC 3986. */
export function encodedDocument(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** AWS's own sentences stand alone; ours say where and what after AWS's general one. */
const ownSentences =
  /^(Policy |Statement IDs|Resource |IAM resource|Actions\/|Conditions must|Vendor |Partition )/;

/** Throws MalformedPolicyDocument. */
export function requireIdentityPolicy(text: string): void {
  try {
    checkPolicy(text, "identity");
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (error.kind === "syntax") throw malformedPolicy("This policy contains invalid Json");
    if (ownSentences.test(error.reason)) throw malformedPolicy(error.reason);
    throw malformedPolicy(`Syntax errors in policy. ${error.message}`);
  }
}
