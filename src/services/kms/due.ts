import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { StaleDecision } from "../../kernel/errors.ts";
import type { ServiceEvent } from "../../kernel/operation.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { keyEvent, rotationEvents } from "./events.ts";
import { withoutMaterial } from "./imports.ts";
import { dayMs, dueOf, identityOf, joinChanges, keyArn, newMaterial, saveKey } from "./keys.ts";
import { isPrimary, relatedKeys, saveMaterials, settledState } from "./multi-region.ts";
import { removeKey } from "./removal.ts";
import {
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
  keyDestroyed(keyArn: string): void | Promise<void>;
}

export interface DueAct {
  readonly records: RecordView;
  /** Commits, with the audit records of these events. Throws StaleDecision. */
  commit(commands: readonly Command[], events: readonly ServiceEvent[]): Promise<unknown>;
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
    await act.commit([dueWork.remove(installationScope, dueId(due))], []);
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
  const change = await removeKey(dependencies, act.records, key, host.now());
  await act.commit(change.commands, [keyEvent(key, "DeleteKey")]);
  change.committed();
  await host.keyDestroyed(keyArn(key));
  for (const { materialId } of key.materials) await dependencies.vault.forget(materialId);
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
  // Removed before it is written again: a store leaves no remains of what is removed.
  const commands = [keys.remove(key, key.keyId), ...change.commands];
  await act.commit(commands, [keyEvent(key, "DeleteExpiredKeyMaterial")]);
  change.committed();
  await host.keyDestroyed(keyArn(key));
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
  await act.commit(change.commands, []);
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
  const related = await relatedKeys(act.records, key);
  await act.commit(change.commands, rotationEvents(key, related, material));
}
