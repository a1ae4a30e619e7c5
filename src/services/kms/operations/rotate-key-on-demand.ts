import type { RotateKeyOnDemandRequest, RotateKeyOnDemandResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { rotationEvents } from "../events.ts";
import { currentMaterial, identityOf, joinChanges, newMaterial, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { relatedKeys, requirePrimary, saveMaterials } from "../multi-region.ts";
import { refuse } from "../refusals.ts";
import { conflictMs, onDemandRotationsMax, withPendingRotated } from "../rotation.ts";
import { requireState } from "../states.ts";
import type { KeyRecord, MaterialRecord } from "../store.ts";

export function rotateKeyOnDemand(
  dependencies: KmsDependencies,
): Operation<Wire<RotateKeyOnDemandRequest>, Wire<RotateKeyOnDemandResponse>> {
  return {
    name: "RotateKeyOnDemand",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId"], response: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      // AWS: no message.
      if (key.keySpec !== "SYMMETRIC_DEFAULT") throw refuse("UnsupportedOperationException", "");
      if (key.multiRegion !== undefined) requirePrimary(key);
      requireState(key, "rotateOnDemand");
      requireNoConflict(key, arn, call.now);
      return { ...(await rotated(dependencies, call, key, arn)), output: { KeyId: arn } };
    },
  };
}

function requireNoConflict(key: Readonly<KeyRecord>, arn: string, nowMs: number): void {
  if ((key.onDemandRotations ?? 0) >= onDemandRotationsMax) {
    throw refuse(
      "LimitExceededException",
      "The on-demand rotations limit has been reached for the given keyId. No more on-demand " +
        `rotations can be performed for this key: ${arn}`,
    );
  }
  if (key.rotation !== undefined && key.rotation.nextMs - nowMs <= conflictMs) {
    // AWS?: no recorded text.
    throw refuse("ConflictException", `An automatic rotation of ${arn} is due.`);
  }
}

/** AWS: the schedule of automatic rotation stays as it was. */
async function rotated(
  dependencies: KmsDependencies,
  call: Call,
  key: Readonly<KeyRecord>,
  arn: string,
): Promise<Omit<Outcome<unknown>, "output">> {
  const change = await materialChange(dependencies, call, key, arn);
  const after: KeyRecord = {
    ...key,
    materials: change(key.materials),
    onDemandRotations: (key.onDemandRotations ?? 0) + 1,
  };
  const own = saveKey(dependencies, key, after);
  const others = await saveMaterials(dependencies, call.records, key, change);
  const related = await relatedKeys(call.records, key);
  const events = rotationEvents(key, related, currentMaterial(after));
  return { ...joinChanges([own, ...others]), audit: { events } };
}

type MaterialChange = (materials: readonly MaterialRecord[]) => readonly MaterialRecord[];

async function materialChange(
  dependencies: KmsDependencies,
  call: Call,
  key: Readonly<KeyRecord>,
  arn: string,
): Promise<MaterialChange> {
  if (key.origin === "AWS_KMS") {
    const rotationType = "ON_DEMAND";
    const made = await newMaterial(dependencies, identityOf(key), call.now, { rotationType });
    return (materials) => [...materials, made];
  }
  const set = [key, ...(await relatedKeys(call.records, key))];
  const isReady = ({ materials }: Readonly<KeyRecord>) =>
    materials.some(({ pending, wrapped }) => pending === true && wrapped !== undefined);
  if (!set.every(isReady)) {
    throw refuse(
      "KMSInvalidStateException",
      `No available key material pending rotation for the key: ${arn}.`,
    );
  }
  return (materials) => withPendingRotated(materials, call.now);
}
