import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { removeGrant, withGrantCount } from "./grant-records.ts";
import { grantsOf } from "./grants.ts";
import { withoutMaterial } from "./imports.ts";
import { dayMs, dueOf, joinChanges, type KeyChange, saveKey } from "./keys.ts";
import { relatedKeys } from "./multi-region.ts";
import { aliases, dueId, dueWork, installationScope, type KeyRecord, keys } from "./store.ts";

type Dependencies = Pick<KmsDependencies, "keyWorkDue">;

/** A key with all that hangs on it: aliases, grants, what is due, its place in a set. */
export async function removeKey(
  dependencies: Dependencies,
  records: RecordView,
  key: Readonly<KeyRecord>,
  nowMs: EpochMs,
): Promise<KeyChange> {
  const due = dueOf(key);
  const left = joinChanges(await leaveSet(dependencies, records, key, nowMs));
  const held = key.grantCount === undefined ? [] : await grantsOf({ records }, key);
  const commands: Command[] = [
    keys.remove(key, key.keyId),
    ...key.aliases.map((name) => aliases.remove(key, name)),
    ...held.flatMap(({ value }) => removeGrant(key, value)),
    ...(due ? [dueWork.remove(installationScope, dueId(due))] : []),
    ...left.commands,
  ];
  return { commands, committed: left.committed };
}

/**
 * A multi-Region key's end: the others forget it, and a primary that waited for it waits no more.
 */
async function leaveSet(
  dependencies: Dependencies,
  records: RecordView,
  key: Readonly<KeyRecord>,
  nowMs: EpochMs,
): Promise<readonly KeyChange[]> {
  const related = await relatedKeys(records, key);
  return related.flatMap((other) => {
    if (other.multiRegion === undefined) return [];
    const replicaRegions = other.multiRegion.replicaRegions.filter((name) => name !== key.region);
    const after: KeyRecord = { ...other, multiRegion: { ...other.multiRegion, replicaRegions } };
    const waited = other.state === "PendingReplicaDeletion" && replicaRegions.length === 0;
    if (!waited) return [saveKey(dependencies, other, after)];
    const { deletionWindowDays = 30, ...rest } = after;
    const deletionMs = nowMs + deletionWindowDays * dayMs;
    return [saveKey(dependencies, other, { ...rest, state: "PendingDeletion", deletionMs })];
  });
}

/** What of a key must not be, though the key is. */
export interface KeyRemains {
  readonly materialIds: readonly string[];
  /** Without the key's id. */
  readonly grantIds: readonly string[];
}

/** Takes materials and grants from a key in one change. */
export async function removeParts(
  dependencies: Dependencies,
  records: RecordView,
  key: Readonly<KeyRecord>,
  { materialIds, grantIds }: KeyRemains,
): Promise<KeyChange> {
  let after: KeyRecord = key;
  for (const materialId of materialIds) after = withoutMaterial(after, materialId);
  const gone = (await grantsOf({ records }, key)).filter(({ value }) =>
    grantIds.includes(value.grantId),
  );
  for (const _ of gone) after = withGrantCount(after, -1);
  const change = saveKey(dependencies, key, after);
  return {
    // Removed before it is written again: a store leaves no remains of what is removed.
    commands: [
      ...gone.flatMap(({ value }) => removeGrant(key, value)),
      ...(materialIds.length > 0 ? [keys.remove(key, key.keyId)] : []),
      ...change.commands,
    ],
    committed: change.committed,
  };
}
