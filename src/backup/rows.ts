import { hash } from "node:crypto";
import { assert } from "../kernel/errors.ts";
import type { TableRow, TableValue } from "../kernel/tables.ts";
import { BackupError } from "./error.ts";

/*
 * A row is its values in the order of the table's columns; a value is tag(1) and, by tag: nothing
 * (null), int64be, or u32be length ‖ bytes (text as UTF-8, bytes as they are).
 */
const tags = { null: 0, integer: 1, text: 2, bytes: 3 } as const;

export function encodeRow(row: TableRow): Buffer {
  let size = 0;
  for (const value of row) size += encodedBytes(value);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of row) at = writeValue(bytes, at, value);
  return bytes;
}

function encodedBytes(value: TableValue): number {
  if (value === null) return 1;
  if (typeof value === "number") return 9;
  return 5 + (typeof value === "string" ? Buffer.byteLength(value) : value.length);
}

function writeValue(bytes: Buffer, at: number, value: TableValue): number {
  if (value === null) return bytes.writeUInt8(tags.null, at);
  if (typeof value === "number") {
    assert(Number.isSafeInteger(value), "numbers of tables are whole");
    return bytes.writeBigInt64BE(BigInt(value), bytes.writeUInt8(tags.integer, at));
  }
  const text = typeof value === "string";
  bytes.writeUInt8(text ? tags.text : tags.bytes, at);
  const start = at + 5;
  const length = text ? bytes.write(value, start) : value.length;
  if (!text) bytes.set(value, start);
  bytes.writeUInt32BE(length, at + 1);
  return start + length;
}

/** Rows one after the other. Throws BackupError if the bytes are no such rows. */
export function decodeRows(columnCount: number, bytes: Buffer): TableRow[] {
  const rows: TableRow[] = [];
  let at = 0;
  try {
    while (at < bytes.length) {
      const row: TableValue[] = [];
      for (let column = 0; column < columnCount; column += 1) {
        const read = readValue(bytes, at);
        row.push(read.value);
        at = read.end;
      }
      rows.push(row);
    }
  } catch (error) {
    if (error instanceof RangeError) throw malformed();
    throw error;
  }
  return rows;
}

function readValue(bytes: Buffer, at: number): { value: TableValue; end: number } {
  const tag = bytes.readUInt8(at);
  if (tag === tags.null) return { value: null, end: at + 1 };
  if (tag === tags.integer) return { value: Number(bytes.readBigInt64BE(at + 1)), end: at + 9 };
  const start = at + 5;
  const end = start + bytes.readUInt32BE(at + 1);
  if (end > bytes.length) throw malformed();
  if (tag === tags.text) return { value: bytes.toString("utf8", start, end), end };
  if (tag === tags.bytes) return { value: Buffer.from(bytes.subarray(start, end)), end };
  throw malformed();
}

function malformed(): BackupError {
  return new BackupError("the backup is damaged: a row in it cannot be read");
}

/** What a table holds, whatever the order of its rows: their number and the XOR of their digests. */
export interface TableSum {
  readonly rows: number;
  /** 64 hex digits. */
  readonly digest: string;
}

/** Adds up rows. Equal sums of two stores mean equal tables: a primary key has no row twice. */
export class TableSummer {
  #rows = 0;
  readonly #digest = new Uint32Array(8);

  add(encodedRow: Uint8Array): void {
    this.#rows += 1;
    const digest = hash("sha256", encodedRow, "buffer");
    for (let word = 0; word < 8; word += 1) {
      this.#digest[word] = (this.#digest[word] ?? 0) ^ digest.readUInt32BE(word * 4);
    }
  }

  sum(): TableSum {
    const words = Array.from(this.#digest, (word) => word.toString(16).padStart(8, "0"));
    return { rows: this.#rows, digest: words.join("") };
  }
}

export function sameSum(one: TableSum | undefined, other: TableSum): boolean {
  return one !== undefined && one.rows === other.rows && one.digest === other.digest;
}
