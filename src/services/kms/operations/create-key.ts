import type { CreateKeyRequest, CreateKeyResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Json } from "../../../kernel/json.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Random } from "../../../kernel/random.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyResourceType, noKeyUse, tagConditions } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requestedKind } from "../key-specs.ts";
import { keyArn, newMaterial, saveKey } from "../keys.ts";
import { auditedMetadata, keyMetadata } from "../metadata.ts";
import { policyForNewKey } from "../policies.ts";
import type { KeyRecord } from "../store.ts";
import { requestedTags } from "../tags.ts";

type Input = Wire<CreateKeyRequest>;

export function createKey(
  dependencies: KmsDependencies,
): Operation<Input, Wire<CreateKeyResponse>> {
  return {
    name: "CreateKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: auditedRequest,
      response: (output) => ({
        keyMetadata: output.KeyMetadata ? auditedMetadata(output.KeyMetadata) : null,
      }),
    },
    resources(input, call) {
      const { keySpec, keyUsage, origin } = requestedKind(input);
      const tags = requestedTags(input.Tags ?? []);
      const bypass = input.BypassPolicyLockoutSafetyCheck;
      const use = noKeyUse(call, {
        "kms:keyspec": keySpec,
        "kms:keyusage": keyUsage,
        "kms:keyorigin": origin,
        "kms:multiregion": input.MultiRegion ?? false,
        ...(bypass !== undefined && { "kms:bypasspolicylockoutsafetycheck": bypass }),
        ...tagConditions(tags),
      });
      if (Object.keys(tags).length === 0) return [use];
      return [use, noKeyUse(call, tagConditions(tags), "kms:TagResource")];
    },
    async handle(input, call) {
      const key = await newKey(dependencies, input, call);
      const change = saveKey(dependencies, undefined, key);
      const { accountId } = key;
      return {
        output: { KeyMetadata: keyMetadata(key) },
        ...change,
        audit: { resources: [{ accountId, type: keyResourceType, arn: keyArn(key) }] },
      };
    },
  };
}

async function newKey(dependencies: KmsDependencies, input: Input, call: Call): Promise<KeyRecord> {
  const kind = requestedKind(input);
  const multiRegion = input.MultiRegion === true;
  const identity = { accountId: call.accountId, keyId: newKeyId(dependencies.random, multiRegion) };
  const facts: Omit<KeyRecord, "policy" | "materials"> = {
    ...identity,
    ...kind,
    region: call.region,
    manager: "CUSTOMER",
    description: input.Description ?? "",
    state: kind.origin === "EXTERNAL" ? "PendingImport" : "Enabled",
    createdMs: call.now,
    tags: requestedTags(input.Tags ?? []),
    aliases: [],
    ...(multiRegion && { multiRegion: { primaryRegion: call.region, replicaRegions: [] } }),
  };
  const policy = await policyForNewKey(dependencies, call, facts, input);
  if (kind.origin === "EXTERNAL") return { ...facts, policy, materials: [] };
  const { keySpec } = kind;
  const material = await newMaterial(dependencies, identity, call.now, { keySpec });
  return { ...facts, policy, materials: [material] };
}

/** AWS: `mrk-` and 32 hex digits for a multi-Region key. */
function newKeyId(random: Random, multiRegion: boolean): string {
  const id = random.uuid();
  return multiRegion ? `mrk-${id.replaceAll("-", "")}` : id;
}

/** AWS: the record shows the defaults filled in. */
function auditedRequest(input: Input): Json {
  const keySpec = input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  return {
    ...(input.Policy !== undefined && { policy: input.Policy }),
    description: input.Description ?? "",
    keyUsage: input.KeyUsage ?? "ENCRYPT_DECRYPT",
    customerMasterKeySpec: keySpec,
    keySpec,
    origin: input.Origin ?? "AWS_KMS",
    bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
    ...(input.MultiRegion !== undefined && { multiRegion: input.MultiRegion }),
    ...(input.Tags && {
      tags: input.Tags.map((tag) => ({ tagKey: tag.TagKey, tagValue: tag.TagValue })),
    }),
  };
}
