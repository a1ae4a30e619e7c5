import { namedKeys } from "../../auth/policy/index.ts";
import type { Call } from "../../kernel/call.ts";
import type { EncryptionContext } from "../../kernel/keyvault.ts";
import type { ConditionContext, GrantFacts, ResourceUse } from "../../kernel/operation.ts";
import type { FoundKey } from "./found.ts";
import type { HiddenKey } from "./locate.ts";
import { validation } from "./refusals.ts";
import type { KeyRecord } from "./store.ts";

/** DIFFERS: AWS documents no limit of its own; blobs and policies stay small with this one. */
const encryptionContextBytesMax = 8192;

export interface KeyUseOptions {
  readonly action?: string;
  /** As the request has it: grants are constrained by it. */
  readonly encryptionContext?: EncryptionContext | undefined;
  /** In place of those that were found with the key. */
  readonly grants?: readonly GrantFacts[];
}

/**
 * A key as the thing to authorise: its policy rules, its kms:* condition keys are set
 * (kms:ViaService and kms:CallerAccount are the pipeline's). A hidden key has no policy, so only a
 * denial can follow, with the same words as for a key that is there and forbidden.
 */
export function keyUse(
  located: FoundKey | HiddenKey,
  context: ConditionContext = {},
  options: KeyUseOptions = {},
): ResourceUse {
  const { action, encryptionContext } = options;
  const named = { type: keyResourceType, policyKind: "key", ...(action && { action }) } as const;
  if (!located.found) {
    return { ...named, arn: located.arn, accountId: located.accountId, context };
  }
  const { key, arn, policy, conditions, requestAlias, grants } = located;
  return {
    ...named,
    arn,
    accountId: key.accountId,
    policy,
    context: {
      ...conditions,
      ...(requestAlias && { "kms:requestalias": requestAlias }),
      ...context,
    },
    tags: key.tags,
    grants: options.grants ?? grants,
    ...(encryptionContext && { encryptionContext }),
  };
}

export const keyResourceType = "AWS::KMS::Key";

/** Operations without a key: identity policies decide. AWS prints the resource as `*`. */
export function noKeyUse(call: Call, context: ConditionContext = {}, action?: string): ResourceUse {
  return { arn: "*", accountId: call.accountId, context, ...(action && { action }) };
}

/** An alias as the thing to authorise: identity policies of its account decide. */
export function aliasUse(call: Call, arn: string): ResourceUse {
  // AWS: the audit names aliases with the type of keys.
  return { arn, accountId: call.accountId, type: keyResourceType };
}

type Described = Pick<
  KeyRecord,
  "origin" | "keySpec" | "keyUsage" | "aliases" | "region" | "multiRegion"
>;

export function keyConditions(key: Described): ConditionContext {
  return {
    "kms:keyorigin": key.origin,
    "kms:keyspec": key.keySpec,
    "kms:keyusage": key.keyUsage,
    "kms:multiregion": key.multiRegion !== undefined,
    ...(key.multiRegion && { "kms:multiregionkeytype": multiRegionType(key) }),
    ...(key.aliases.length > 0 && { "kms:resourcealiases": key.aliases }),
  };
}

export function multiRegionType(
  key: Pick<KeyRecord, "region" | "multiRegion">,
): "PRIMARY" | "REPLICA" {
  return key.multiRegion?.primaryRegion === key.region ? "PRIMARY" : "REPLICA";
}

/**
 * kms:EncryptionContext:k and kms:EncryptionContextKeys.
 *
 * Throws ValidationException above 8192 bytes.
 */
export function encryptionContextConditions(
  context: EncryptionContext | undefined,
): ConditionContext {
  const pairs = Object.entries(context ?? {});
  if (pairs.length === 0) return {};
  let bytes = 0;
  for (const [name, value] of pairs) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  if (bytes > encryptionContextBytesMax) {
    throw validation(`The encryption context is larger than ${encryptionContextBytesMax} bytes.`);
  }
  return {
    ...namedKeys("kms:encryptioncontext:", Object.fromEntries(pairs)),
    "kms:encryptioncontextkeys": pairs.map(([name]) => name),
  };
}

/** aws:RequestTag/k and aws:TagKeys. */
export function tagConditions(
  tags: Readonly<Record<string, string>> | readonly string[],
): ConditionContext {
  const names = isNameList(tags) ? tags : Object.keys(tags);
  if (names.length === 0) return {};
  const values = isNameList(tags) ? {} : namedKeys("aws:requesttag/", tags);
  return { ...values, "aws:tagkeys": names };
}

function isNameList(
  tags: Readonly<Record<string, string>> | readonly string[],
): tags is readonly string[] {
  return Array.isArray(tags);
}
