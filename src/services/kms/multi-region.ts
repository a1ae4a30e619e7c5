import type { RecordView } from "../../kernel/records.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { type KeyChange, keyArn, saveKey } from "./keys.ts";
import { refuse } from "./refusals.ts";
import { type KeyRecord, keys, type MaterialRecord } from "./store.ts";

/**
 * AWS answers Creating and Updating for some seconds. Here the work is one commit; the states last
 * a moment, so that clients meet them where they would in AWS.
 */
export const settleMs = 1000;

export function isPrimary(key: Readonly<KeyRecord>): boolean {
  return key.multiRegion?.primaryRegion === key.region;
}

/** AWS: rotation and replication are the primary's. */
export function requirePrimary(key: Readonly<KeyRecord>): void {
  if (isPrimary(key)) return;
  throw refuse(
    "UnsupportedOperationException",
    `${keyArn(key)} is not a multi-region primary key.`,
  );
}

/** The other keys of the set, in order of region. */
export async function relatedKeys(
  records: RecordView,
  key: Readonly<KeyRecord>,
): Promise<readonly Readonly<KeyRecord>[]> {
  if (key.multiRegion === undefined) return [];
  const { primaryRegion, replicaRegions } = key.multiRegion;
  const related: Readonly<KeyRecord>[] = [];
  for (const region of [primaryRegion, ...replicaRegions].toSorted()) {
    if (region === key.region) continue;
    const found = await keys.get(records, { accountId: key.accountId, region }, key.keyId);
    if (found) related.push(found);
  }
  return related;
}

/** The primary of the set; the key itself if it belongs to none. */
export async function primaryOf(
  records: RecordView,
  key: Readonly<KeyRecord>,
): Promise<Readonly<KeyRecord>> {
  if (key.multiRegion === undefined || isPrimary(key)) return key;
  const related = await relatedKeys(records, key);
  return related.find(isPrimary) ?? key;
}

/** The same change of materials in every key of the set. */
export async function saveMaterials(
  dependencies: Pick<KmsDependencies, "keyWorkDue">,
  records: RecordView,
  key: Readonly<KeyRecord>,
  change: (materials: readonly MaterialRecord[]) => readonly MaterialRecord[],
): Promise<readonly KeyChange[]> {
  const related = await relatedKeys(records, key);
  return related.map((other) =>
    saveKey(dependencies, other, { ...other, materials: change(other.materials) }),
  );
}

/** What Creating and Updating end in: a key whose imported material is missing waits for it. */
export function settledState(key: Readonly<KeyRecord>): "Enabled" | "PendingImport" {
  return isWholeKey(key) ? "Enabled" : "PendingImport";
}

/** Whether all material that may be needed is there. */
export function isWholeKey(key: Readonly<KeyRecord>): boolean {
  const needed = key.materials.filter(({ pending }) => pending !== true);
  return needed.length > 0 && needed.every(({ wrapped }) => wrapped !== undefined);
}
