import type { CreateKeyRequest, CreateKeyResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Json } from "../../../kernel/json.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyConditions, keyResourceType, noKeyUse, tagConditions } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireSupportedKey } from "../key-specs.ts";
import { keyArn, newMaterial, saveKey } from "../keys.ts";
import { auditedMetadata, keyMetadata } from "../metadata.ts";
import { prepareKeyPolicy } from "../policies.ts";
import { defaultKeyPolicy } from "../policy-text.ts";
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
      requireSupportedKey(input);
      const tags = requestedTags(input.Tags ?? []);
      const bypass = input.BypassPolicyLockoutSafetyCheck;
      const use = noKeyUse(call, {
        "kms:keyspec": input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
        "kms:keyusage": input.KeyUsage ?? "ENCRYPT_DECRYPT",
        "kms:keyorigin": input.Origin ?? "AWS_KMS",
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
  const identity = { accountId: call.accountId, keyId: dependencies.random.uuid() };
  const facts: Omit<KeyRecord, "policy" | "materials"> = {
    ...identity,
    region: call.region,
    manager: "CUSTOMER",
    description: input.Description ?? "",
    state: "Enabled",
    keySpec: "SYMMETRIC_DEFAULT",
    keyUsage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    createdMs: call.now,
    tags: requestedTags(input.Tags ?? []),
    aliases: [],
  };
  const policy =
    input.Policy === undefined
      ? { text: defaultKeyPolicy(call.accountId), principalIds: {} }
      : await prepareKeyPolicy(dependencies, call, {
          text: input.Policy,
          keyArn: keyArn(facts),
          keyConditions: keyConditions(facts),
          tags: facts.tags,
          bypassLockoutCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
        });
  return { ...facts, policy, materials: [await newMaterial(dependencies, identity, call.now)] };
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
