import type { UpdatePrimaryRegionRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { joinChanges, keyArn, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { relatedKeys, requirePrimary, settleMs } from "../multi-region.ts";
import { notFound } from "../refusals.ts";
import { requireState } from "../states.ts";
import type { KeyRecord } from "../store.ts";

export function updatePrimaryRegion(
  dependencies: KmsDependencies,
): Operation<Wire<UpdatePrimaryRegionRequest>, object> {
  return {
    name: "UpdatePrimaryRegion",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId", "PrimaryRegion"] },
    async resources(input, call) {
      const conditions = { "kms:primaryregion": input.PrimaryRegion };
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      const { PrimaryRegion: primaryRegion } = input;
      requirePrimary(key);
      requireState(key, "updatePrimary");
      if (primaryRegion === key.region) return { output: {} };
      const related = await relatedKeys(call.records, key);
      const next = related.find(({ region }) => region === primaryRegion);
      // AWS?: code and text.
      if (!next) {
        throw notFound(`Key '${keyArn({ ...key, region: primaryRegion })}' does not exist`);
      }
      requireState(next, "updatePrimary");
      return {
        output: {},
        ...joinChanges(
          [key, ...related].map((member) =>
            saveKey(dependencies, member, swapped(member, key, primaryRegion, call.now)),
          ),
        ),
      };
    },
  };
}

/** Old and new primary are Updating for a moment; rotation goes where the primary is. */
function swapped(
  member: Readonly<KeyRecord>,
  oldPrimary: Readonly<KeyRecord>,
  primaryRegion: string,
  nowMs: number,
): KeyRecord {
  const { replicaRegions = [] } = oldPrimary.multiRegion ?? {};
  const replicas = [...replicaRegions, oldPrimary.region].filter((name) => name !== primaryRegion);
  const multiRegion = { primaryRegion, replicaRegions: replicas.toSorted() };
  const changes = member.region === primaryRegion || member.region === oldPrimary.region;
  if (!changes) return { ...member, multiRegion };
  const { rotation: _, onDemandRotations: __, ...rest } = member;
  const { rotation, onDemandRotations } = oldPrimary;
  const isNew = member.region === primaryRegion;
  return {
    ...rest,
    multiRegion,
    state: "Updating",
    settleMs: nowMs + settleMs,
    ...(isNew && rotation && { rotation }),
    ...(isNew && onDemandRotations !== undefined && { onDemandRotations }),
  };
}
