import type { Call } from "../../kernel/call.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { RecordScope } from "../../kernel/records.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { dayMs, newMaterial, saveKey } from "./keys.ts";
import { prettyPolicy } from "./policy-text.ts";
import { aliases, type KeyRecord } from "./store.ts";

/** An AWS managed key: made at first use, with a policy that nobody can change. */
interface ManagedKeyForm {
  readonly service: string;
  readonly description: string;
  readonly sid: string;
  readonly actions: readonly string[];
}

/** AWS: texts and actions as `DescribeKey` and `GetKeyPolicy` show them. */
const forms: ReadonlyMap<string, ManagedKeyForm> = new Map([
  [
    "alias/aws/sns",
    {
      service: "sns",
      description: "Default key that protects my SNS data when no other key is defined",
      sid:
        "Allow access through SNS for all principals in the account that are authorized to " +
        "use SNS",
      actions: [
        "kms:Decrypt",
        "kms:GenerateDataKey*",
        "kms:CreateGrant",
        "kms:ListGrants",
        "kms:DescribeKey",
      ],
    },
  ],
  [
    "alias/aws/sqs",
    {
      service: "sqs",
      description: "Default key that protects my SQS data when no other key is defined",
      sid:
        "Allow access through Simple Queue Service (SQS) for all principals in the account that " +
        "are authorized to use SQS",
      actions: [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:CreateGrant",
        "kms:DescribeKey",
      ],
    },
  ],
]);

/** Reserved names that exist from the start, bound to a key or not, in order. */
export const managedAliases: readonly string[] = [...forms.keys()];

/** Rotation of AWS managed keys is always on. */
export const managedRotationDays = 365;

export function isReservedAlias(name: string): boolean {
  return name.startsWith("alias/aws/");
}

/**
 * AWS: DescribeKey makes the key, and so does first use through its service. A direct
 * GenerateDataKey does not (it could not be allowed anyway), nor does a stranger's DescribeKey.
 */
export function createsManagedKey(call: Call, alias: string, accountId: string): boolean {
  if (!forms.has(alias)) return false;
  if (call.via !== undefined || call.caller.kind === "service") return true;
  return call.operation === "DescribeKey" && accountId === call.accountId;
}

/** Makes the key and its alias in a commit of their own: the call goes on with a key that is. */
export async function managedKey(
  dependencies: KmsDependencies,
  call: Call,
  scope: RecordScope,
  alias: string,
): Promise<KeyRecord | undefined> {
  const form = forms.get(alias);
  if (!form) return undefined;
  const { accountId, region } = scope;
  const keyId = dependencies.random.uuid();
  const identity = { accountId, keyId };
  const key: KeyRecord = {
    keyId,
    accountId,
    region,
    manager: "AWS",
    description: form.description,
    state: "Enabled",
    keySpec: "SYMMETRIC_DEFAULT",
    keyUsage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    createdMs: call.now,
    policy: { text: managedPolicy(form, scope), principalIds: {} },
    tags: {},
    aliases: [alias],
    materials: [await newMaterial(dependencies, identity, call.now)],
    rotation: {
      periodDays: managedRotationDays,
      nextMs: call.now + managedRotationDays * dayMs,
    },
  };
  const change = saveKey(dependencies, undefined, key);
  await call.commit([
    ...change.commands,
    aliases.put(scope, alias, {
      name: alias,
      targetKeyId: keyId,
      createdMs: call.now,
      updatedMs: call.now,
    }),
  ]);
  change.committed();
  return key;
}

/** The policy that the AWS managed key behind an alias has; undefined: no such key is made here. */
export function managedKeyPolicy(alias: string, scope: RecordScope): AttachedPolicy | undefined {
  const form = forms.get(alias);
  return form && { text: managedPolicy(form, scope), principalIds: {} };
}

function managedPolicy(form: ManagedKeyForm, scope: RecordScope): string {
  return prettyPolicy({
    Version: "2012-10-17",
    Id: `auto-${form.service}-1`,
    Statement: [
      {
        Sid: form.sid,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: form.actions,
        Resource: "*",
        Condition: {
          StringEquals: {
            "kms:CallerAccount": scope.accountId,
            "kms:ViaService": `${form.service}.${scope.region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${scope.accountId}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ],
  });
}
