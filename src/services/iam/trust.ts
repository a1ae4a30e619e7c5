import { checkPolicy, PolicyError, resolvePrincipalIds } from "../../auth/policy/index.ts";
import type { Json } from "../../kernel/json.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { malformedDocument } from "./policies.ts";
import { principals } from "./ports.ts";
import { limitExceeded, malformedPolicy } from "./refusals.ts";

/** AWS: the quota of a role trust policy, white space not counted. */
const trustCharactersMax = 2048;

/**
 * Checks a trust policy and binds the principals that it names to who they are now. Throws
 * MalformedPolicyDocument, LimitExceeded.
 */
export async function prepareTrust(view: RecordView, text: string): Promise<AttachedPolicy> {
  try {
    checkPolicy(text, "trust");
  } catch (error) {
    if (error instanceof PolicyError) throw malformedDocument(error);
    throw error;
  }
  if (text.replace(/\s/gu, "").length > trustCharactersMax) {
    throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${trustCharactersMax}`);
  }
  const resolved = await resolvePrincipalIds(text, principals, view);
  if (resolved.ok) return resolved.policy;
  throw malformedPolicy(`Invalid principal in policy: "AWS":"${resolved.unknown[0]}"`);
}

/**
 * A trust policy as it is shown: a principal that was deleted (and perhaps made again) appears as
 * the unique id that it was, which is nobody now.
 */
export async function shownTrust(view: RecordView, trust: AttachedPolicy): Promise<string> {
  const gone = new Map<string, string>();
  for (const [arn, id] of Object.entries(trust.principalIds)) {
    if ((await principals.resolve(view, arn)) !== id) gone.set(arn, id);
  }
  if (gone.size === 0) return trust.text;
  const document: Json = JSON.parse(trust.text);
  return JSON.stringify(withPrincipals(document, gone));
}

/** Texts under `AWS` stand in principals only: a policy has no other member of this name. */
function withPrincipals(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (isList(value)) return value.map((entry) => withPrincipals(entry, ids));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "AWS" ? renamed(member, ids) : withPrincipals(member, ids),
    ]),
  );
}

function renamed(value: Json, ids: ReadonlyMap<string, string>): Json {
  if (isList(value)) return value.map((entry) => renamed(entry, ids));
  return typeof value === "string" ? (ids.get(value) ?? value) : value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
