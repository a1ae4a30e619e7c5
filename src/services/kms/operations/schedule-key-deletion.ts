import type { ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { dayMs, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { auditDate } from "../metadata.ts";
import { isPrimary } from "../multi-region.ts";
import { constraint } from "../refusals.ts";
import { requireState } from "../states.ts";
import type { KeyRecord } from "../store.ts";

type Input = Wire<ScheduleKeyDeletionRequest>;

export function scheduleKeyDeletion(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ScheduleKeyDeletionResponse>> {
  return {
    name: "ScheduleKeyDeletion",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["KeyId", "PendingWindowInDays"],
      response: (output) => ({
        keyId: output.KeyId ?? null,
        keyState: output.KeyState ?? null,
        ...(output.DeletionDate === undefined
          ? { pendingWindowInDays: output.PendingWindowInDays ?? null }
          : { deletionDate: auditDate(output.DeletionDate) }),
      }),
    },
    async resources(input, call) {
      const days = windowDays(input);
      const conditions = { "kms:schedulekeydeletionpendingwindowindays": days };
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "scheduleDeletion");
      const days = windowDays(input);
      const { settleMs: _, ...settled } = key;
      const waits = isPrimary(key) && (key.multiRegion?.replicaRegions.length ?? 0) > 0;
      const state = waits ? "PendingReplicaDeletion" : "PendingDeletion";
      const deletionMs = call.now + days * dayMs;
      const output = {
        KeyId: arn,
        // AWS: the wait begins when the last replica is gone, so there is no date yet.
        ...(!waits && { DeletionDate: deletionMs }),
        KeyState: state,
        PendingWindowInDays: days,
      } as const;
      const pending: KeyRecord = {
        ...settled,
        state,
        ...(waits ? { deletionWindowDays: days } : { deletionMs }),
      };
      return { output, ...saveKey(dependencies, key, pending) };
    },
  };
}

/** AWS: 7 to 30 days, though the model lets 1 to 365 pass. */
function windowDays(input: Input): number {
  const days = input.PendingWindowInDays ?? 30;
  const member = "pendingWindowInDays";
  if (days < 7) {
    throw constraint(member, days, "Member must have value greater than or equal to 7");
  }
  if (days > 30) {
    throw constraint(member, days, "Member must have value less than or equal to 30");
  }
  return days;
}
