import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { StaleDecision } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { AuditResource } from "../../kernel/operation.ts";
import type { RecordView } from "../../kernel/records.ts";
import { keyResourceType } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { removeGrant } from "./grant-records.ts";
import { grantsOf } from "./grants.ts";
import { withoutMaterial } from "./imports.ts";
import {
  currentMaterial,
  dayMs,
  dueOf,
  identityOf,
  joinChanges,
  type KeyChange,
  keyArn,
  newMaterial,
  saveKey,
} from "./keys.ts";
import { isPrimary, relatedKeys, saveMaterials, settledState } from "./multi-region.ts";
import {
  aliases,
  type DueRecord,
  dueId,
  dueWork,
  installationScope,
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
  readonly eventName: "DeleteKey" | "RotateKey" | "DeleteExpiredKeyMaterial";
  readonly accountId: string;
  readonly region: string;
  readonly resources: readonly AuditResource[];
  readonly serviceEventDetails: Json;
}

/**
 * Deletes keys, lets imported material expire, rotates, ends the states of passage: whatever is
 * due, oldest first, one commit each. Answers
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
    const [first] = await dueWork.list(act.records, installationScope, { limit: 1 });
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
    await act.commit([dueWork.remove(installationScope, dueId(due))], undefined);
    return;
  }
  const work = { delete: destroy, expire, rotate, settle }[due.task];
  await work(dependencies, host, act, key);
}

async function destroy(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  const due = dueOf(key);
  const left = joinChanges(await leaveSet(dependencies, host, act, key));
  const held = key.grantCount === undefined ? [] : await grantsOf(act, key);
  const commands: Command[] = [
    keys.remove(key, key.keyId),
    ...key.aliases.map((name) => aliases.remove(key, name)),
    ...held.flatMap(({ value }) => removeGrant(key, value)),
    ...(due ? [dueWork.remove(installationScope, dueId(due))] : []),
    ...left.commands,
  ];
  await act.commit(commands, serviceEvent(key, "DeleteKey", { keyId: key.keyId }));
  left.committed();
  host.keyDestroyed(keyArn(key));
  for (const { materialId } of key.materials) await dependencies.vault.forget(materialId);
}

/**
 * A multi-Region key's end: the others forget it, and a primary that waited for it waits no more.
 */
async function leaveSet(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<readonly KeyChange[]> {
  const related = await relatedKeys(act.records, key);
  return related.flatMap((other) => {
    if (other.multiRegion === undefined) return [];
    const replicaRegions = other.multiRegion.replicaRegions.filter((name) => name !== key.region);
    const after: KeyRecord = { ...other, multiRegion: { ...other.multiRegion, replicaRegions } };
    const waited = other.state === "PendingReplicaDeletion" && replicaRegions.length === 0;
    if (!waited) return [saveKey(dependencies, other, after)];
    const { deletionWindowDays = 30, ...rest } = after;
    const deletionMs = host.now() + deletionWindowDays * dayMs;
    return [saveKey(dependencies, other, { ...rest, state: "PendingDeletion", deletionMs })];
  });
}

async function expire(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  const expired = key.materials.filter(
    ({ wrapped, expiresMs }) =>
      wrapped !== undefined && expiresMs !== undefined && expiresMs <= host.now(),
  );
  let after: KeyRecord = key;
  for (const { materialId } of expired) after = withoutMaterial(after, materialId);
  const change = saveKey(dependencies, key, after);
  const details = { keyId: key.keyId };
  // Removed before it is written again: a store leaves no remains of what is removed.
  const commands = [keys.remove(key, key.keyId), ...change.commands];
  await act.commit(commands, serviceEvent(key, "DeleteExpiredKeyMaterial", details));
  change.committed();
  host.keyDestroyed(keyArn(key));
  for (const { materialId } of expired) await dependencies.vault.forget(materialId);
}

async function settle(
  dependencies: KmsDependencies,
  _host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  const { settleMs: _, ...rest } = key;
  const change = saveKey(dependencies, key, { ...rest, state: settledState(key) });
  await act.commit(change.commands, undefined);
  change.committed();
}

async function rotate(
  dependencies: KmsDependencies,
  host: DueHost,
  act: DueAct,
  key: Readonly<KeyRecord>,
): Promise<void> {
  if (key.rotation === undefined || (key.multiRegion && !isPrimary(key))) return;
  const { periodDays, nextMs } = key.rotation;
  const now = host.now();
  const rotationType = "AUTOMATIC";
  const material = await newMaterial(dependencies, identityOf(key), now, { rotationType });
  // A key that was disabled over several periods rotates once and begins a new period.
  const planned = nextMs + periodDays * dayMs;
  const next = planned > now ? planned : now + periodDays * dayMs;
  const own = saveKey(dependencies, key, {
    ...key,
    materials: [...key.materials, material],
    rotation: { periodDays, nextMs: next },
  });
  const others = await saveMaterials(dependencies, act.records, key, (materials) => [
    ...materials,
    material,
  ]);
  const change = joinChanges([own, ...others]);
  const details = {
    keyId: key.keyId,
    rotationType,
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
