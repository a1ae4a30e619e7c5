import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { BackupError } from "../../backup/error.ts";
import { frameTypes, openFrames, parseFrame } from "../../backup/frames.ts";
import { decodeHeader, type ReadHeader } from "../../backup/header.ts";
import type { FileHead, Manifest, StoreHead, Totals } from "../../backup/manifest.ts";
import { decodeRows, encodeRow, sameSum, type TableSum, TableSummer } from "../../backup/rows.ts";
import type { TableRow, TableShape } from "../../kernel/tables.ts";
import { mayRestore } from "./files.ts";

/** How far the reading of a backup is. */
export type Progress = (bytesRead: number, bytesTotal: number) => void;

/** Throws BackupError if the file is no backup, or not whole. */
export function readHeader(path: string): ReadHeader {
  const file = openSync(path, "r");
  try {
    const size = 2 * 1024 * 1024;
    const bytes = Buffer.alloc(size);
    const header = decodeHeader(bytes.subarray(0, readSync(file, bytes, 0, size, 0)));
    if (header === undefined) throw new BackupError("the backup is cut off within its header");
    return header;
  } finally {
    closeSync(file);
  }
}

/** What is done with the parts of a backup as they are found genuine. */
export interface BackupVisitor {
  manifest?(manifest: Manifest): Promise<void> | void;
  store?(head: StoreHead): Promise<void> | void;
  rows?(table: TableShape, rows: readonly TableRow[]): Promise<void> | void;
  file?(head: FileHead): Promise<void> | void;
  fileBytes?(bytes: Buffer): Promise<void> | void;
}

/**
 * Reads the whole payload of a backup and hands its parts on in their order.
 *
 * Throws BackupError as soon as anything is not as it was written; what was handed on before was
 * genuine, and yet must not be kept.
 */
export async function readPayload(
  path: string,
  headerBytes: number,
  key: Uint8Array,
  visitor: BackupVisitor,
  progress: Progress,
): Promise<Manifest> {
  const total = statSync(path).size;
  const walk = new PayloadWalk(visitor);
  const counted = count(path, headerBytes, (read) => progress(read, total));
  for await (const frame of openFrames(key, counted)) {
    switch (frame.type) {
      case frameTypes.alive:
        break;
      case frameTypes.manifest:
        await walk.manifest(parseFrame<Manifest>(frame));
        break;
      case frameTypes.store:
        await visitor.store?.(parseFrame<StoreHead>(frame));
        break;
      case frameTypes.table:
        walk.table(parseFrame<TableShape>(frame));
        break;
      case frameTypes.rows:
        await walk.rows(frame.bytes);
        break;
      case frameTypes.file:
        await walk.file(parseFrame<FileHead>(frame));
        break;
      case frameTypes.fileBytes:
        await visitor.fileBytes?.(frame.bytes);
        break;
      case frameTypes.end:
        walk.end(parseFrame<Totals>(frame));
        break;
      default:
        throw new BackupError("the backup was made by a newer version of Sealpost");
    }
  }
  progress(total, total);
  return walk.whole();
}

async function* count(
  path: string,
  start: number,
  tell: (read: number) => void,
): AsyncGenerator<Buffer> {
  let read = start;
  for await (const bytes of createReadStream(path, { start, highWaterMark: 1024 * 1024 })) {
    yield bytes as Buffer;
    read += (bytes as Buffer).length;
    tell(read);
  }
}

/** What must hold of a payload beside that its bytes are genuine: a writer can be wrong, too. */
class PayloadWalk {
  readonly #visitor: BackupVisitor;
  readonly #sums = new Map<string, TableSum>();
  #manifest: Manifest | undefined;
  #table: TableShape | undefined;
  #summer = new TableSummer();
  #files = 0;
  #ended = false;

  constructor(visitor: BackupVisitor) {
    this.#visitor = visitor;
  }

  async manifest(manifest: Manifest): Promise<void> {
    this.#manifest = manifest;
    await this.#visitor.manifest?.(manifest);
  }

  table(shape: TableShape): void {
    this.#closeTable();
    // Names become part of statements.
    const names = [shape.name, ...shape.columns];
    if (!names.every((name) => /^[a-z][a-z0-9_]{0,62}$/.test(name))) throw outOfOrder();
    this.#table = shape;
  }

  async rows(bytes: Buffer): Promise<void> {
    if (this.#table === undefined) throw outOfOrder();
    const rows = decodeRows(this.#table.columns.length, bytes);
    for (const row of rows) this.#summer.add(encodeRow(row));
    await this.#visitor.rows?.(this.#table, rows);
  }

  async file(head: FileHead): Promise<void> {
    this.#closeTable();
    if (!mayRestore(head.path)) throw new BackupError(`the backup holds a file ${head.path}`);
    this.#files += 1;
    await this.#visitor.file?.(head);
  }

  end({ tables, files }: Totals): void {
    this.#closeTable();
    for (const [name, sum] of Object.entries(tables)) {
      if (!sameSum(this.#sums.get(name), sum)) {
        throw new BackupError(`the backup is not whole: table ${name} has other rows than it says`);
      }
    }
    if (this.#sums.size !== Object.keys(tables).length || this.#files !== files) {
      throw new BackupError("the backup is not whole: parts that it names are missing");
    }
    this.#ended = true;
  }

  whole(): Manifest {
    if (!this.#ended || this.#manifest === undefined) throw outOfOrder();
    return this.#manifest;
  }

  #closeTable(): void {
    if (this.#table === undefined) return;
    this.#sums.set(this.#table.name, this.#summer.sum());
    this.#summer = new TableSummer();
    this.#table = undefined;
  }
}

function outOfOrder(): BackupError {
  return new BackupError("the backup is damaged: its parts are not in order");
}
