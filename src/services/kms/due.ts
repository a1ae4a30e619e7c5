import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { StaleDecision } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { AuditResource } from "../../kernel/operation.ts";
import type { RecordView } from "../../kernel/records.ts";
import { keyResourceType } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { currentMaterial, dayMs, dueOf, identityOf, keyArn, newMaterial, saveKey } from "./keys.ts";
import {
  aliases,
  type DueRecord,
  dueId,
  dueScope,
  dueWork,
  type KeyRecord,
  keys,
} from "./store.ts";

/** What the main program lends to the work that the clock owes to keys. */
export interface DueHost {
  now(): EpochMs;
  /** Begins one act: reads and a commit that is decided under what was read. */
  begin(): DueAct;
  /** A key's material is gone: data keys that it opened must leave the caches. */
  keyDestroyed(keyArn: string): void;
}

export interface DueAct {
  readonly records: RecordView;
  /** Commits, with the audit record of the event if there is one. Throws StaleDecision. */
  commit(commands: readonly Command[], event: KeyServiceEvent | undefined): Promise<unknown>;
}

/** AWS: eventType AwsServiceEvent, invoked by `AWS Internal`, readOnly false, no parameters. */
export interface KeyServiceEvent {
  readonly eventSource: "kms.amazonaws.com";
  readonly eventName: "DeleteKey" | "RotateKey";
  readonly accountId: string;
  readonly region: string;
  readonly resources: readonly AuditResource[];
  readonly serviceEventDetails: Json;
}

/**
 * Deletes the keys and rotates the materials that are due, oldest first, one commit each. Answers
 * when the next thing is due; undefined: nothing is.
 *
 * INVARIANT: a key's records go in one commit; its unwrapped material leaves the key process right
 * after. A failure leaves the rest for the next run.
 */
export async function runDueKeyWork(
  dependencies: KmsDependencies,
  host: DueHost,
): Promise<EpochMs | undefined> {
  for (;;) {
    const act = host.begin();
    const [first] = await dueWork.list(act.records, dueScope, { limit: 1 });
    if (first === undefined || first.value.atMs > host.now()) return first?.value.atMs;
    try {
      await carryOut(dependencies, host, act, first.value);
    } catch (error) {
      // Another commit changed the account meanwhile: look again.
      if (!(error instanceof StaleDecision)) throw error;
    }
  }
}

async function carryOut(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  due: Readonly<DueRecord>,
): Promise<void> {
  const key = await keys.get(act.records, due, due.keyId);
  const owed = key && dueOf(key);
  if (!key || !owed || dueId(owed) !== dueId(due)) {
    await act.commit([dueWork.remove(dueScope, dueId(due))], undefined);
  } else if (due.task === "delete") {
    await destroy(dependencies, host, act, key);
  } else {
    await rotate(dependencies, host, act, key);
  }
}

async function destroy(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  const due = dueOf(key);
  const commands: Command[] = [
    keys.remove(key, key.keyId),
    ...key.aliases.map((name) => aliases.remove(key, name)),
    ...(due ? [dueWork.remove(dueScope, dueId(due))] : []),
  ];
  await act.commit(commands, serviceEvent(key, "DeleteKey", { keyId: key.keyId }));
  host.keyDestroyed(keyArn(key));
  for (const { materialId } of key.materials) await dependencies.vault.forget(materialId);
}

async function rotate(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  if (key.rotation === undefined) return;
  const { periodDays, nextMs } = key.rotation;
  const now = host.now();
  const material = await newMaterial(dependencies, identityOf(key), now, "AUTOMATIC");
  // A key that was disabled over several periods rotates once and begins a new period.
  const planned = nextMs + periodDays * dayMs;
  const next = planned > now ? planned : now + periodDays * dayMs;
  const change = saveKey(dependencies, key, {
    ...key,
    materials: [...key.materials, material],
    rotation: { periodDays, nextMs: next },
  });
  const details = {
    keyId: key.keyId,
    rotationType: "AUTOMATIC",
    previousKeyMaterialId: currentMaterial(key).materialId,
    currentKeyMaterialId: material.materialId,
  };
  await act.commit(change.commands, serviceEvent(key, "RotateKey", details));
}

function serviceEvent(
  key: Readonly<KeyRecord>,
  eventName: KeyServiceEvent["eventName"],
  serviceEventDetails: Json,
): KeyServiceEvent {
  const { accountId, region } = key;
  return {
    eventSource: "kms.amazonaws.com",
    eventName,
    accountId,
    region,
    resources: [{ accountId, type: keyResourceType, arn: keyArn(key) }],
    serviceEventDetails,
  };
}
