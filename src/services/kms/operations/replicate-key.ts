import type { ReplicateKeyRequest, ReplicateKeyResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Json } from "../../../kernel/json.ts";
import type { Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse, noKeyUse, tagConditions } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { synchronized } from "../events.ts";
import { joinChanges, keyArn, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { auditedMetadata, keyMetadata } from "../metadata.ts";
import { relatedKeys, requirePrimary, settleMs } from "../multi-region.ts";
import { policyForNewKey } from "../policies.ts";
import { refuse, validation } from "../refusals.ts";
import { requireState } from "../states.ts";
import { type KeyRecord, keys, type MaterialRecord } from "../store.ts";
import { requestedTags } from "../tags.ts";

type Input = Wire<ReplicateKeyRequest>;

export function replicateKey(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ReplicateKeyResponse>> {
  return {
    name: "ReplicateKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: auditedRequest,
      response: (output) => ({
        replicaKeyMetadata: output.ReplicaKeyMetadata
          ? auditedMetadata(output.ReplicaKeyMetadata)
          : null,
        replicaPolicy: output.ReplicaPolicy ?? null,
      }),
    },
    async resources(input, call) {
      const tags = requestedTags(input.Tags ?? []);
      const { ReplicaRegion: region } = input;
      const bypass = input.BypassPolicyLockoutSafetyCheck;
      const conditions = {
        "kms:replicaregion": region,
        ...(bypass !== undefined && { "kms:bypasspolicylockoutsafetycheck": bypass }),
        ...tagConditions(tags),
      };
      const primary = await requireOwnKey(dependencies, call, input.KeyId);
      // AWS: the replica is a key that is made: its region asks for kms:CreateKey.
      const uses: ResourceUse[] = [
        keyUse(primary, conditions),
        noKeyUse(call, { ...conditions, "kms:multiregion": true }, "kms:CreateKey"),
      ];
      if (Object.keys(tags).length === 0) return uses;
      return [...uses, noKeyUse(call, tagConditions(tags), "kms:TagResource")];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requirePrimary(key);
      requireState(key, "replicate");
      const replica = await newReplica(dependencies, input, call, key);
      const multiRegion = replica.multiRegion;
      const related = await relatedKeys(call.records, key);
      const change = joinChanges([
        saveKey(dependencies, undefined, replica),
        ...[key, ...related].map((member) =>
          saveKey(dependencies, member, { ...member, ...(multiRegion && { multiRegion }) }),
        ),
      ]);
      const output = {
        ReplicaKeyMetadata: keyMetadata(replica),
        ReplicaPolicy: replica.policy.text,
        ReplicaTags: Object.entries(replica.tags).map(([TagKey, TagValue]) => ({
          TagKey,
          TagValue,
        })),
      };
      return { ...change, output, audit: { events: [synchronized(replica)] } };
    },
  };
}

async function newReplica(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
  primary: Readonly<KeyRecord>,
): Promise<KeyRecord> {
  const { ReplicaRegion: region } = input;
  const scope = { accountId: primary.accountId, region };
  // AWS?: texts of both.
  if (!/^[a-z0-9-]+$/.test(region) || region === primary.region) {
    throw validation(`ReplicaRegion ${region} is not valid for ${keyArn(primary)}`);
  }
  if (await keys.get(call.records, scope, primary.keyId)) {
    const arn = keyArn({ ...scope, keyId: primary.keyId });
    throw refuse("AlreadyExistsException", `${arn} already exists`);
  }
  const others = primary.multiRegion?.replicaRegions ?? [];
  const facts: Omit<KeyRecord, "policy" | "materials"> = {
    ...scope,
    keyId: primary.keyId,
    manager: "CUSTOMER",
    description: input.Description ?? "",
    state: "Creating",
    settleMs: call.now + settleMs,
    keySpec: primary.keySpec,
    keyUsage: primary.keyUsage,
    origin: primary.origin,
    createdMs: call.now,
    tags: requestedTags(input.Tags ?? []),
    aliases: [],
    multiRegion: {
      primaryRegion: primary.region,
      replicaRegions: [...others, region].toSorted(),
    },
  };
  const policy = await policyForNewKey(dependencies, { ...call, region }, facts, input);
  return { ...facts, policy, materials: primary.materials.map(replicated(primary)) };
}

/** AWS: imported material is not copied; each replica wants the same import of its own. */
function replicated({ origin }: Readonly<KeyRecord>) {
  return (material: MaterialRecord): MaterialRecord => {
    if (origin === "AWS_KMS") return material;
    const { wrapped: _, expiresMs: __, ...name } = material;
    return name;
  };
}

function auditedRequest(input: Input): Json {
  return {
    keyId: input.KeyId,
    replicaRegion: input.ReplicaRegion,
    ...(input.Policy !== undefined && { policy: input.Policy }),
    bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck ?? false,
    ...(input.Description !== undefined && { description: input.Description }),
    ...(input.Tags && {
      tags: input.Tags.map((tag) => ({ tagKey: tag.TagKey, tagValue: tag.TagValue })),
    }),
  };
}
