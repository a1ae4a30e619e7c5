import {
  checkPolicy,
  decide,
  globalContext,
  PolicyError,
  resolvePrincipalIds,
} from "../../auth/policy/index.ts";
import type { Call } from "../../kernel/call.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { ConditionContext } from "../../kernel/operation.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import { keyConditions } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { keyArn } from "./keys.ts";
import { defaultKeyPolicy, prettyPolicy } from "./policy-text.ts";
import { notFound, refuse } from "./refusals.ts";
import type { KeyRecord } from "./store.ts";

/** AWS: 32 KB, though the model lets 128 KiB pass. */
const policyBytesMax = 32_768;

/** A policy that a request wants to attach to a key. */
export interface KeyPolicyRequest {
  readonly text: string;
  readonly keyArn: string;
  readonly keyConditions: ConditionContext;
  readonly tags: Readonly<Record<string, string>>;
  readonly bypassLockoutCheck: boolean;
}

/**
 * Checks a policy for a key and binds the principals that it names to who they are now.
 *
 * Throws LimitExceededException, and MalformedPolicyDocumentException for bad grammar, unknown
 * principals, and a policy under which the caller could not change it again.
 */
export async function prepareKeyPolicy(
  dependencies: KmsDependencies,
  call: Call,
  request: KeyPolicyRequest,
): Promise<AttachedPolicy> {
  if (Buffer.byteLength(request.text) > policyBytesMax) {
    // AWS?: no recorded text.
    throw refuse("LimitExceededException", `A key policy can have up to ${policyBytesMax} bytes.`);
  }
  checkGrammar(request.text);
  const { principals } = dependencies;
  const resolved = await resolvePrincipalIds(request.text, principals, call.records);
  if (!resolved.ok) throw invalidPrincipals();
  if (!request.bypassLockoutCheck) {
    await requireStillChangeable(dependencies, call, request, resolved.policy);
  }
  return resolved.policy;
}

/** The policy that a request names for a key that it makes, or the default one. */
export async function policyForNewKey(
  dependencies: KmsDependencies,
  call: Call,
  key: Omit<KeyRecord, "policy" | "materials">,
  input: { Policy?: string; BypassPolicyLockoutSafetyCheck?: boolean },
): Promise<AttachedPolicy> {
  if (input.Policy === undefined) {
    return { text: defaultKeyPolicy(key.accountId), principalIds: {} };
  }
  return prepareKeyPolicy(dependencies, call, {
    text: input.Policy,
    keyArn: keyArn(key),
    keyConditions: keyConditions(key),
    tags: key.tags,
    bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
  });
}

function checkGrammar(text: string): void {
  try {
    checkPolicy(text, "key");
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    if (error.reason.startsWith("Invalid principal")) throw invalidPrincipals();
    const isOwnText = error.reason.startsWith("OverlyPermissiveCondition");
    throw malformed(isOwnText ? error.reason : error.message);
  }
}

/** AWS: the caller must keep kms:PutKeyPolicy, directly or by delegation and its own policies. */
async function requireStillChangeable(
  dependencies: KmsDependencies,
  call: Call,
  request: KeyPolicyRequest,
  policy: AttachedPolicy,
): Promise<void> {
  const { caller, transport, region, via, accountId } = call;
  const facts = { caller, transport, region, via, resourceAccountId: accountId };
  const decision = decide({
    caller,
    action: "kms:PutKeyPolicy",
    resource: request.keyArn,
    resourceAccountId: accountId,
    service: "kms",
    context: {
      ...globalContext({
        ...facts,
        nowMs: call.now,
        service: "kms",
        resourceTags: request.tags,
      }),
      ...request.keyConditions,
    },
    ...(await dependencies.identityPolicies.of(call.records, caller)),
    resourcePolicy: policy,
    policyKind: "key",
  });
  if (!decision.allowed) {
    throw malformed(
      "The new key policy will not allow you to update the key policy in the future.",
    );
  }
}

/** AWS: `default` is the only name. */
export function requireDefaultPolicyName(name: string | undefined): void {
  if (name !== undefined && name !== "default") throw notFound("No such policy exists");
}

/**
 * The text as GetKeyPolicy shows it: as its author wrote it, but a principal that was deleted (and
 * perhaps made again) appears as the unique id that it was, which is nobody now.
 */
export async function shownPolicy(
  dependencies: KmsDependencies,
  call: Call,
  policy: AttachedPolicy,
): Promise<string> {
  const gone = new Map<string, string>();
  for (const [arn, id] of Object.entries(policy.principalIds)) {
    if ((await dependencies.principals.resolve(call.records, arn)) !== id) gone.set(arn, id);
  }
  if (gone.size === 0) return policy.text;
  const document: Json = JSON.parse(policy.text);
  return prettyPolicy(withPrincipals(document, (arn) => gone.get(arn) ?? arn));
}

/** A policy with other texts in place of the ARNs under Principal and NotPrincipal. */
function withPrincipals(document: Json, change: (arn: string) => string): Json {
  const changeArns = (list: Json) =>
    mapEach(list, (entry) => (typeof entry === "string" ? change(entry) : entry));
  const changePrincipal = (types: Json) =>
    mapMembers(types, (type, list) => (type === "AWS" ? changeArns(list) : list));
  const changeStatement = (statement: Json) =>
    mapMembers(statement, (element, value) =>
      element === "Principal" || element === "NotPrincipal" ? changePrincipal(value) : value,
    );
  return mapMembers(document, (name, value) =>
    name === "Statement" ? mapEach(value, changeStatement) : value,
  );
}

function mapEach(value: Json, change: (entry: Json) => Json): Json {
  return isList(value) ? value.map(change) : change(value);
}

function mapMembers(value: Json, change: (name: string, member: Json) => Json): Json {
  if (typeof value !== "object" || value === null || isList(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, change(name, member)]),
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function malformed(message: string): Refusal {
  return refuse("MalformedPolicyDocumentException", message);
}

function invalidPrincipals(): Refusal {
  return malformed("Policy contains a statement with one or more invalid principals.");
}
