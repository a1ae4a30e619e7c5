import type { Body } from "../../../kernel/body.ts";
import { assert } from "../../../kernel/errors.ts";
import { giveBack } from "../../../kernel/memory.ts";
import { type Form, headBytes, namesForgotten, namesMax, namesStay } from "./form.ts";

/** What a buffer has at first. One beyond the second is not used again. */
const bufferBytes = 64 * 1024;
const keptBytesMax = 1024 * 1024;
const sparesMax = 4;

/**
 * What one thread has for the other, as bytes in a buffer that is transferred. Values have no keys:
 * a form writes its members in its order, and the same form reads them.
 *
 * Names are texts that come again and again (accounts, queues, data keys): each goes over once,
 * then its number does. So both ends know the same names: every group must be read, in order.
 */
export class Outgoing {
  private buffer = Buffer.from(new ArrayBuffer(bufferBytes));
  private view = new DataView(this.buffer.buffer);
  private at = headBytes;
  private entries = 0;
  private forgotten = false;
  private readonly abouts: { readonly array: Uint8Array; readonly at: number }[] = [];
  private readonly names = new Map<string, number>();
  private readonly spares: ArrayBuffer[] = [];

  /** Entries written since the last `take`. */
  get count(): number {
    return this.entries;
  }

  /** Writes one entry. What a form throws leaves no trace of the entry. */
  add<T>(form: Pick<Form<T>, "write">, value: T): void {
    const start = this.at;
    try {
      this.byte(this.forgotten ? namesForgotten : namesStay);
      form.write(this, value);
    } catch (error) {
      this.at = start;
      // The other end will never see the names of this one.
      this.names.clear();
      this.forgotten = true;
      throw error;
    } finally {
      this.abouts.length = 0;
    }
    this.forgotten = false;
    this.entries += 1;
  }

  /** The group of entries since the last `take`, for transfer. */
  take(): ArrayBuffer {
    const { buffer } = this.buffer;
    this.view.setUint32(0, this.entries);
    this.use(this.spares.pop() ?? new ArrayBuffer(bufferBytes));
    this.at = headBytes;
    this.entries = 0;
    return buffer;
  }

  /** A buffer of the other side that nobody looks at any more: one less to be made. */
  reuse(buffer: ArrayBuffer): void {
    const { byteLength } = buffer;
    if (byteLength < bufferBytes) return;
    if (byteLength <= keptBytesMax && this.spares.length < sparesMax) this.spares.push(buffer);
    else giveBack(new Uint8Array(buffer));
  }

  /** 0 to 255. */
  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  /** A byte that `amend` can change for as long as the entry is written. */
  byteAbout(array: Uint8Array, value: number): void {
    this.abouts.push({ array, at: this.at });
    this.byte(value);
  }

  /**
   * Changes the byte that is about this very array, and answers which of the entry's it is, counted
   * from 0; undefined: none is.
   */
  amend(array: Uint8Array, value: number): number | undefined {
    for (let number = this.abouts.length - 1; number >= 0; number--) {
      const about = this.abouts[number];
      if (about?.array !== array) continue;
      this.buffer[about.at] = value;
      return number;
    }
    return undefined;
  }

  /** A whole number from 0 to 2^31 - 1; small ones take one byte. */
  size(value: number): void {
    this.reserve(5);
    let left = value;
    while (left > 0x7f) {
      this.buffer[this.at++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.buffer[this.at++] = left;
  }

  /** Any finite number. Another one would become a null in the database, or a time of 1970. */
  number(value: number): void {
    assert(Number.isFinite(value), "a number for the store must be finite");
    this.reserve(8);
    this.view.setFloat64(this.at, value);
    this.at += 8;
  }

  text(value: string): void {
    const { length } = value;
    this.reserve(5 + length * 3);
    if (length > shortText || !this.shortAscii(value)) {
      const bytes = Buffer.byteLength(value);
      this.size(bytes * 2 + (bytes === length ? 0 : 1));
      if (bytes === length) this.buffer.write(value, this.at, "latin1");
      else this.buffer.write(value, this.at, "utf8");
      this.at += bytes;
    }
  }

  /** The common case without a call into the engine; answers whether it is one. */
  private shortAscii(value: string): boolean {
    const { buffer } = this;
    let at = this.at + 1;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    buffer[this.at] = value.length * 2;
    this.at = at;
    return true;
  }

  name(value: string): void {
    const known = this.names.get(value);
    if (known !== undefined) {
      this.size(known);
      return;
    }
    if (this.names.size >= namesMax) this.names.clear();
    this.names.set(value, this.names.size + 1);
    this.size(0);
    this.text(value);
  }

  bytes(value: Uint8Array): void {
    this.size(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  /** The whole body with room before and after it: who reads it finds room and body together. */
  body({ bytes, insertion }: Body, before: number, after: number): void {
    const inserted = insertion?.bytes.length ?? 0;
    const length = before + bytes.length + inserted + after;
    this.size(length);
    this.reserve(length);
    const start = this.at + before;
    if (insertion) {
      const at = bytes.length - insertion.before;
      this.buffer.set(bytes.subarray(0, at), start);
      this.buffer.set(insertion.bytes, start + at);
      this.buffer.set(bytes.subarray(at), start + at + inserted);
    } else this.buffer.set(bytes, start);
    this.at += length;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const { buffer, at } = this;
    this.use(Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, at + bytes)).buffer);
    this.buffer.set(buffer.subarray(0, at));
    this.reuse(buffer.buffer);
  }

  private use(buffer: ArrayBuffer): void {
    this.buffer = Buffer.from(buffer);
    this.view = new DataView(buffer);
  }
}

/** Its length doubled is one byte of a `size`. */
const shortText = 63;
