import type { DecisionRequest } from "../auth/policy/index.ts";
import { parseArn, partition } from "../kernel/arn.ts";
import type { ConditionContext, ResourceUse } from "../kernel/operation.ts";
import type { RecordScope, RecordView } from "../kernel/records.ts";
import { encryptionContextConditions, keyUse } from "../services/kms/conditions.ts";
import { bareKey, type FoundKey } from "../services/kms/found.ts";
import { grantsOf } from "../services/kms/grants.ts";
import { aliasArn, keyArn } from "../services/kms/keys.ts";
import { isKeyId } from "../services/kms/locate.ts";
import { isReservedAlias, managedKeyPolicy } from "../services/kms/managed.ts";
import { aliases, type KeyRecord, keys } from "../services/kms/store.ts";

/** What the `KmsMasterKeyId` of a topic or queue comes to. */
export type PlacedKey =
  | (FoundKey & {
      /** AWS's: its policy can never be changed. */
      readonly managed: boolean;
      /** Why it cannot be used whatever policies say; undefined: it can. */
      readonly unusable: string | undefined;
    })
  | { readonly found: false; readonly arn: string; readonly reason: string };

export type UsableKey = Extract<PlacedKey, { found: true }>;

/**
 * Finds the key as the KMS would: unqualified names belong to the resource's account and region.
 * Changes nothing: an AWS managed key that its first use would make is shown as it would be.
 */
export async function keyOfPlace(
  view: RecordView,
  place: RecordScope,
  keyId: string,
): Promise<PlacedKey> {
  const name = readKeyName(place, keyId);
  if ("reason" in name) return { found: false, ...name };
  const { scope, alias } = name;
  const target = alias === undefined ? undefined : await aliases.get(view, scope, alias);
  const id = alias === undefined ? name.keyId : target?.targetKeyId;
  const key = id === undefined ? undefined : await keys.get(view, scope, id);
  const shown = key ?? (alias === undefined ? undefined : keyToBe(scope, alias));
  if (shown) {
    const grants = await grantsOfKey(view, shown);
    const managed = shown.manager === "AWS";
    const unusable = whyUnusable(shown);
    return { ...bareKey(shown), requestAlias: alias, grants, managed, unusable };
  }
  const arn = alias === undefined ? keyArn({ ...scope, keyId: id ?? "" }) : aliasArn(scope, alias);
  const what = alias === undefined ? "key" : "alias";
  return { found: false, arn, reason: `there is no ${what} ${arn}: whatever uses it fails` };
}

type KeyName =
  | { readonly scope: RecordScope; readonly keyId?: string; readonly alias?: string }
  | { readonly arn: string; readonly reason: string };

function readKeyName(place: RecordScope, keyId: string): KeyName {
  const { accountId, region } = place;
  const scope = { accountId, region };
  const wrong = (reason: string) => ({ arn: keyId, reason });
  const malformed = `\`${keyId}\` is no key id, key ARN, alias name or alias ARN`;
  if (!keyId.startsWith("arn:")) {
    if (isKeyId(keyId)) return { scope, keyId: keyId.toLowerCase() };
    return keyId.startsWith("alias/") ? { scope, alias: keyId } : wrong(malformed);
  }
  const arn = parseArn(keyId);
  if (arn?.service !== "kms" || arn.partition !== partition) return wrong(malformed);
  if (arn.region !== region) {
    return wrong(`${keyId} is in region ${arn.region}; a key serves only its own, ${region}`);
  }
  const named = { accountId: arn.accountId, region: arn.region };
  if (arn.resource.startsWith("alias/")) return { scope: named, alias: arn.resource };
  const bare = arn.resource.startsWith("key/") ? arn.resource.slice(4) : "";
  return isKeyId(bare) ? { scope: named, keyId: bare.toLowerCase() } : wrong(malformed);
}

/** All of them: who asks is known later, and decisions pick the caller's. */
async function grantsOfKey(view: RecordView, key: Readonly<KeyRecord>) {
  if (key.grantCount === undefined) return [];
  return (await grantsOf({ records: view }, key)).map(({ value }) => value);
}

/** The AWS managed key that the first use would make; it has no id yet. */
function keyToBe(scope: RecordScope, alias: string): KeyRecord | undefined {
  const policy = isReservedAlias(alias) ? managedKeyPolicy(alias, scope) : undefined;
  if (!policy) return undefined;
  return {
    keyId: `(made at the first use of ${alias})`,
    accountId: scope.accountId,
    region: scope.region,
    manager: "AWS",
    description: "",
    state: "Enabled",
    keySpec: "SYMMETRIC_DEFAULT",
    keyUsage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    createdMs: 0,
    policy,
    tags: {},
    aliases: [alias],
    materials: [],
  };
}

function whyUnusable(key: Readonly<KeyRecord>): string | undefined {
  const arn = keyArn(key);
  if (key.keySpec !== "SYMMETRIC_DEFAULT") {
    return `${arn} is of kind ${key.keySpec}, and only symmetric encryption keys make data keys`;
  }
  switch (key.state) {
    case "Enabled":
      return undefined;
    case "Disabled":
      return `${arn} is disabled, so nobody can use it: kms:EnableKey enables it`;
    case "PendingDeletion": {
      const when = new Date(key.deletionMs ?? 0).toISOString();
      return (
        `${arn} is pending deletion (${when}), so nobody can use it: kms:CancelKeyDeletion, ` +
        "then kms:EnableKey"
      );
    }
    case "PendingImport":
      return `${arn} waits for its material, so nobody can use it: kms:ImportKeyMaterial`;
    default:
      return `${arn} is in state ${key.state}, so nobody can use it`;
  }
}

/** Operations that a key does something secret in. */
export type KeyUse =
  | "Encrypt"
  | "Decrypt"
  | "GenerateDataKey"
  | "Sign"
  | "GenerateMac"
  | "VerifyMac"
  | "DeriveSharedSecret";

/** A use of the key under the encryption context of a topic or queue. */
export function useOfKey(
  key: FoundKey,
  operation: KeyUse,
  encryptionContext: Readonly<Record<string, string>>,
): ResourceUse {
  const conditions: ConditionContext = {
    ...encryptionContextConditions(encryptionContext),
    ...(/crypt$/.test(operation) && { "kms:encryptionalgorithm": algorithmOf(key.key) }),
  };
  // A ciphertext names its key itself: the alias in `KmsMasterKeyId` is not in that request.
  const named = operation === "Decrypt" ? { ...key, requestAlias: undefined } : key;
  return keyUse(named, conditions, { encryptionContext });
}

/** Of those that a key takes, the one that most callers use. */
function algorithmOf({ keySpec }: Readonly<KeyRecord>): string {
  return keySpec === "SYMMETRIC_DEFAULT" ? keySpec : "RSAES_OAEP_SHA_256";
}

/** AWS: the name of the encryption context pair that each service sets. */
export const contextNames = { sns: "aws:sns:topicArn", sqs: "aws:sqs:arn" } as const;

/** Whether the policy in a decision is that of an AWS managed key, which nobody can change. */
export async function isManaged(
  view: RecordView,
  { service, resource }: DecisionRequest,
): Promise<boolean> {
  const arn = service === "kms" ? parseArn(resource) : undefined;
  if (!arn?.resource.startsWith("key/")) return false;
  const scope = { accountId: arn.accountId, region: arn.region };
  return (await keys.get(view, scope, arn.resource.slice(4)))?.manager === "AWS";
}
