import type { RecordParts } from "./store.ts";

/**
 * Records as they wait for a trail: JSON `[bytes, shared, records]`. `bytes` is the size of their
 * text, `shared` what several of them have in common; a record is its parts in order, of the shared
 * ones the places. A record alone, and all that older versions kept, is its text: that begins with
 * a brace.
 */
type Packed = readonly [
  bytes: number,
  shared: readonly string[],
  records: readonly (readonly (string | number)[])[],
];

/** Whoever can write the store must not make us take more memory than a file does. */
const textBytesMax = 16 * 1024 * 1024;

/** Puts records together, each shared text once. INVARIANT: what it writes stays readable. */
export class RecordPacker {
  private readonly places = new Map<string, number>();
  private readonly records: RecordParts[] = [];
  private bytes = 0;

  /** Of the text with commas between. */
  get textBytes(): number {
    return this.bytes + Math.max(0, this.records.length - 1);
  }

  add(record: RecordParts, recordBytes: number): void {
    this.bytes += recordBytes;
    this.records.push(record);
  }

  packed(): Uint8Array {
    const [only = []] = this.records;
    if (this.records.length <= 1) return Buffer.from(only.join(""));
    const records = this.records.map((record) =>
      record.map((part, index) => (index % 2 === 0 ? this.place(part) : part)),
    );
    const packed: Packed = [this.textBytes, [...this.places.keys()], records];
    return Buffer.from(JSON.stringify(packed));
  }

  private place(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    const place = this.places.size;
    this.places.set(text, place);
    return place;
  }
}

/** Size of the text of packed records. */
export function textBytesOf(packed: Uint8Array): number {
  if (packed[0] !== bracket) return packed.length;
  return Number.parseInt(asBuffer(packed).toString("latin1", 1, 17), 10);
}

/** The records with commas between, as UTF-8. undefined: nobody packed that. */
export function textOf(packed: Uint8Array): Uint8Array | undefined {
  if (packed[0] !== bracket) return packed;
  try {
    const [bytes, shared, records]: Packed = JSON.parse(asBuffer(packed).toString());
    return bytes <= textBytesMax ? unpacked(bytes, shared, records) : undefined;
  } catch {
    return undefined;
  }
}

function unpacked(...[bytes, shared, records]: Packed): Uint8Array | undefined {
  if (!Array.isArray(records)) return undefined;
  let units = Math.max(0, records.length - 1);
  const parts: string[] = [];
  for (const record of records) {
    if (!Array.isArray(record)) return undefined;
    if (parts.length > 0) parts.push(",");
    for (const part of record) {
      const text = typeof part === "number" ? shared[part] : part;
      if (typeof text !== "string") return undefined;
      parts.push(text);
      units += text.length;
      // A unit is a byte at least.
      if (units > bytes) return undefined;
    }
  }
  const text = Buffer.from(parts.join(""));
  return text.length === bytes ? text : undefined;
}

const bracket = "[".charCodeAt(0);

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
