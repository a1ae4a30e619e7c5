import type { RecordGetQuery, Store } from "../../kernel/command.ts";
import type { RecordKey } from "../../kernel/records.ts";
import type { TableRow, TableShape } from "../../kernel/tables.ts";
import { forgetAccessKey } from "../../services/iam/forget.ts";
import { accessKeys } from "../../services/iam/store.ts";
import { removeKey, removeParts } from "../../services/kms/removal.ts";
import { grants, type KeyRecord, keys } from "../../services/kms/store.ts";
import type { RecordCache } from "../../state/record-cache.ts";
import { change } from "../change.ts";

/** Things that must stay gone once they are gone. */
export interface Destroyed {
  readonly keys: readonly RecordKey[];
  /** Material of keys that are still there: imported and deleted, or expired. */
  readonly materials: readonly { readonly key: RecordKey; readonly materialId: string }[];
  readonly accessKeys: readonly RecordKey[];
  readonly grants: readonly RecordKey[];
}

/** What of a backup could have been destroyed since: its keys, access keys and grants. */
export interface Candidates {
  readonly records: Map<string, RecordKey>;
  readonly materialIds: Map<string, readonly string[]>;
}

const kinds = new Set([keys.kind, accessKeys.kind, grants.kind]);

export function noCandidates(): Candidates {
  return { records: new Map(), materialIds: new Map() };
}

export function noteCandidates(
  candidates: Candidates,
  table: TableShape,
  rows: readonly TableRow[],
): void {
  if (table.name !== "records") return;
  for (const [accountId, region, kind, id, , content] of rows) {
    if (!kinds.has(`${kind}`)) continue;
    const key: RecordKey = {
      accountId: `${accountId}`,
      region: `${region}`,
      kind: `${kind}`,
      id: `${id}`,
    };
    candidates.records.set(JSON.stringify(key), key);
    if (kind === keys.kind) {
      candidates.materialIds.set(JSON.stringify(key), materialsIn(`${content}`));
    }
  }
}

/** Ids of materials whose bytes are there. */
function materialsIn(content: string): readonly string[] {
  const { materials }: Pick<KeyRecord, "materials"> = JSON.parse(content);
  return materials.flatMap(({ materialId, wrapped }) => (wrapped === undefined ? [] : materialId));
}

/** Which of the candidates the present state does not have any more. */
export async function findDestroyed(
  present: Pick<Store, "query">,
  candidates: Candidates,
): Promise<Destroyed> {
  const gone: RecordKey[] = [];
  const materials: { key: RecordKey; materialId: string }[] = [];
  for (const [name, key] of candidates.records) {
    const { kind: recordKind, ...place } = key;
    const { record } = await present.query<RecordGetQuery>({
      kind: "record.get",
      recordKind,
      ...place,
    });
    if (record === undefined) gone.push(key);
    else if (key.kind === keys.kind) {
      const there = new Set(materialsIn(record.content));
      for (const materialId of candidates.materialIds.get(name) ?? []) {
        if (!there.has(materialId)) materials.push({ key, materialId });
      }
    }
  }
  const of = (kind: string) => gone.filter((key) => key.kind === kind);
  return {
    keys: of(keys.kind),
    materials,
    accessKeys: of(accessKeys.kind),
    grants: of(grants.kind),
  };
}

export function countDestroyed(destroyed: Destroyed): number {
  const { keys: gone, materials, accessKeys: access, grants: revoked } = destroyed;
  return gone.length + materials.length + access.length + revoked.length;
}

/** Nobody waits for what becomes due in a state that no server has opened yet. */
const nobody = { keyWorkDue: () => {} };

/** Takes out of a restored state what had been destroyed, each with all that hangs on it. */
export async function removeDestroyed(
  records: RecordCache,
  destroyed: Destroyed,
  nowMs: number,
): Promise<void> {
  for (const key of destroyed.keys) {
    await change(records, async (view) => {
      const found = await keys.get(view, key, key.id);
      return found ? removeKey(nobody, view, found, nowMs) : { commands: [] };
    });
  }
  for (const [keyRecord, parts] of partsByKey(destroyed)) {
    await change(records, async (view) => {
      const found = await keys.get(view, keyRecord, keyRecord.id);
      return found ? removeParts(nobody, view, found, parts) : { commands: [] };
    });
  }
  for (const { id } of destroyed.accessKeys) {
    await change(records, async (view) => ({ commands: await forgetAccessKey(view, id) }));
  }
}

interface Parts {
  readonly materialIds: string[];
  readonly grantIds: string[];
}

/** A grant's id is `key id|grant id`. */
function partsByKey(destroyed: Destroyed): readonly (readonly [RecordKey, Parts])[] {
  const found = new Map<string, readonly [RecordKey, Parts]>();
  const partsOf = ({ accountId, region }: RecordKey, id: string): Parts => {
    const key = keys.key({ accountId, region }, id);
    const name = JSON.stringify(key);
    const known = found.get(name) ?? [key, { materialIds: [], grantIds: [] }];
    found.set(name, known);
    return known[1];
  };
  for (const { key, materialId } of destroyed.materials) {
    partsOf(key, key.id).materialIds.push(materialId);
  }
  for (const grant of destroyed.grants) {
    const at = grant.id.indexOf("|");
    partsOf(grant, grant.id.slice(0, at)).grantIds.push(grant.id.slice(at + 1));
  }
  return [...found.values()];
}
