import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodeRow, sameSum, type TableSum, TableSummer } from "../backup/rows.ts";
import { lockDataFolder } from "../gateway/data-folder.ts";
import { factTables, metaTable } from "../kernel/portable.ts";
import type { CopyTarget, StoreSnapshot, TableShape } from "../kernel/tables.ts";
import { StartError } from "./start-error.ts";

/** What is done with the rows: first they are copied, then both sides are read and compared. */
export type CopyStep = "copy" | "verify";
export type CopyProgressed = (step: CopyStep, rows: number, rowsTotal: number) => void;

export interface CopyRequest {
  /** `sqlite:DIR` or `postgres://…`, which may hold a password: never logged. */
  readonly from: string;
  readonly to: string;
  readonly progress: CopyProgressed;
}

export interface CopyReport {
  /** Rows of an earlier attempt that were there already. */
  readonly resumedRows: number;
  /** What both sides hold, by table. */
  readonly tables: Readonly<Record<string, TableSum>>;
}

/**
 * Copies a whole installation from a store that nobody works on into an empty one. A copy that was
 * cut off is gone on with where it was; nothing counts before all of it was read again and found
 * equal.
 *
 * Throws StartError for places that cannot be copied between, DataFolderError and Fault `store-busy`
 * if a server works on either side, `store-taken` and `store-foreign` if the target holds something.
 */
export async function copyStore({ from, to, progress }: CopyRequest): Promise<CopyReport> {
  await using scope = new AsyncDisposableStack();
  if (from === to) throw new StartError("a store cannot be copied to where it is");
  const source = await openSource(from, scope);
  const target = await openTarget(to, await stampOf(source), scope);
  return await carryOver(source, target, progress);
}

async function openSource(place: string, scope: AsyncDisposableStack): Promise<StoreSnapshot> {
  const source = await (async () => {
    if (isSharedPlace(place)) {
      const { postgresSource } = await import("../stores/postgres/source.ts");
      return postgresSource(place);
    }
    const path = storeFile(place);
    if (!existsSync(path)) throw new StartError(`there is no store at ${path}`);
    const lock = lockDataFolder(folderOf(place));
    scope.defer(() => lock.close());
    const { sqlitePortableSource } = await import("../stores/sqlite/portable-load.ts");
    return sqlitePortableSource(path);
  })();
  scope.defer(() => source.close());
  return source;
}

async function openTarget(
  place: string,
  stamp: string,
  scope: AsyncDisposableStack,
): Promise<CopyTarget> {
  const target = await (async () => {
    if (isSharedPlace(place)) return openSharedTarget(place, stamp);
    const path = storeFile(place);
    if (existsSync(path)) throw new StartError(`there is a store at ${path} already`);
    const folder = folderOf(place);
    if (!existsSync(join(folder, "installation.json"))) {
      throw new StartError(`${folder} is no data folder: name the folder of one of its servers`);
    }
    const lock = lockDataFolder(folder);
    scope.defer(() => lock.close());
    const { sqliteCopyTarget } = await import("../stores/sqlite/portable-load.ts");
    return sqliteCopyTarget(path);
  })();
  scope.defer(() => target.close());
  return target;
}

/** `replace`: the schema may hold an installation, whose place is taken. */
export async function openSharedTarget(
  url: string,
  stamp: string,
  replace = false,
): Promise<CopyTarget> {
  const [{ postgresCopyTarget }, { parsePostgresUrl }] = await Promise.all([
    import("../stores/postgres/portable-load.ts"),
    import("../stores/postgres/url.ts"),
  ]);
  return postgresCopyTarget({ address: parsePostgresUrl(url), stamp, replace });
}

const embedded = "sqlite:";

function isSharedPlace(place: string): boolean {
  return !place.startsWith(embedded);
}

function folderOf(place: string): string {
  return place.slice(embedded.length);
}

function storeFile(place: string): string {
  return join(folderOf(place), "sealpost.db");
}

/**
 * Names an installation in the state that it is in: a commit of a server changes it. Throws
 * StartError if the store holds no installation.
 */
export async function stampOf(source: StoreSnapshot): Promise<string> {
  const encoded: Buffer[] = [];
  let ring = false;
  for (const table of factTables) {
    for await (const rows of source.rows(table)) {
      ring ||= table.name === metaTable.name && rows.some(([name]) => name === "key-ring");
      encoded.push(...rows.map(encodeRow));
    }
  }
  if (!ring) throw new StartError("the store to copy from holds no installation");
  return hash("sha256", Buffer.concat(encoded), "hex");
}

/** From an open source into an open target, to the end. Throws StartError if they differ then. */
export async function carryOver(
  source: StoreSnapshot,
  target: CopyTarget,
  progress: CopyProgressed,
): Promise<CopyReport> {
  let total = 0;
  for (const table of source.tables) total += await source.countRows(table);
  let rows = 0;
  for (const table of source.tables) rows += target.progressOf(table).rows;
  const resumedRows = rows;
  for (const table of source.tables) {
    for await (const batch of source.rows(table, target.progressOf(table).after)) {
      await target.load(table, batch);
      rows += batch.length;
      progress("copy", rows, total);
    }
  }
  const tables = await verify(source, target, (read) => progress("verify", read, total));
  await target.finish();
  return { resumedRows, tables };
}

async function verify(
  source: StoreSnapshot,
  target: CopyTarget,
  progress: (rows: number) => void,
): Promise<Record<string, TableSum>> {
  const there = await target.complete();
  const tables: Record<string, TableSum> = {};
  let read = 0;
  const count = (rows: number) => {
    read += rows;
    progress(read);
  };
  let different: string | undefined;
  try {
    for (const table of source.tables) {
      const [one, other] = await Promise.all([
        sumOf(source, table, count),
        sumOf(there, table, () => {}),
      ]);
      if (!sameSum(one, other))
        different ??= `${table.name} (${one.rows} rows, ${other.rows} there)`;
      tables[table.name] = one;
    }
  } finally {
    await there.close();
  }
  if (different === undefined) return tables;
  await target.abandon();
  throw new StartError(
    `the copy differs from its source in ${different}: it was thrown away, copy again`,
  );
}

async function sumOf(
  store: StoreSnapshot,
  table: TableShape,
  progress: (rows: number) => void,
): Promise<TableSum> {
  const summer = new TableSummer();
  for await (const rows of store.rows(table)) {
    for (const row of rows) summer.add(encodeRow(row));
    progress(rows.length);
  }
  return summer.sum();
}
