import { assert } from "../kernel/errors.ts";

/**
 * What the server and the key process say to each other: packed frames on one pipe, many in
 * flight, answered in any order.
 *
 * Frame: u32be length of what follows ‖ u32be request id ‖ code(1) ‖ fields, each u32be length ‖
 * bytes. The code of a request is an operation, that of an answer a status.
 */
export const operations = {
  /**
   * seal settings (JSON), secret, stored seal (JSON or ""), sealed ring (or ""), last line of the
   * log of uses (or "none": there is no log) → sealed ring, fingerprint, stored seal (JSON), number of the root key, then purpose, version, key …
   */
  open: 1,
  /** account, key id, spec → material id, wrapped material, public key */
  createMaterial: 2,
  /** cipher fields, plaintext → blob */
  encrypt: 3,
  /** cipher fields, blob → plaintext, or no field */
  decrypt: 4,
  /** cipher fields, length → plaintext, blob */
  generateDataKey: 5,
  /** material id → nothing */
  forget: 6,
  /** cipher fields of the source, blob, cipher fields of the destination → blob, or why not */
  reEncrypt: 7,
  /** cipher fields, spec of the pair, "1" for the plaintext → public key, blob, plaintext? */
  generateKeyPair: 8,
  /** key fields, algorithm, message type, message → signature */
  sign: 9,
  /** key fields, algorithm, message type, message, signature → "1" or "" */
  verify: 10,
  /** key fields, message → MAC */
  mac: 11,
  /** key fields, message, MAC → "1" or "" */
  verifyMac: 12,
  /** key fields, public key → shared secret, or no field */
  agree: 13,
  /** account, key id, region, wrapping spec, algorithm, valid to (text) → public key, token */
  importParameters: 14,
  /** account, key id, region, spec, token, encrypted material, now (text) → material, or why not */
  importMaterial: 15,
  /**
   * seal settings, secret, stored seal, sealed ring; settings and secret of the new seal → sealed
   * ring, fingerprint, stored seal, fingerprint of the old root key. In place of `open`.
   */
  reseal: 16,
  /** number and MAC of the line before, lines of the log → number of a broken one or "", last MAC */
  checkUses: 17,
  /** id (base64), public key … → sealed ring, header key, payload key, then encapsulation, wrapped … */
  sealBackup: 18,
  /** seal settings, secret, stored seal → public key, stored seal. In place of `open`. */
  backupKey: 19,
  /**
   * seal settings, secret, stored seal, id, encapsulation, wrapped → header key, payload key. In
   * place of `open`; the two that follow are asked after it.
   */
  openBackup: 20,
  /** public key … → encapsulation, wrapped … */
  wrapBackup: 21,
  /** settings and secret of the seal, sealed ring → sealed ring, fingerprint, stored seal */
  resealBackup: 22,
} as const;

/**
 * Cipher fields: identity (see `blobIdentity`), wrapped, context, RSA spec and algorithm ("" for a
 * symmetric key), public key ("" for a symmetric key).
 */
export const cipherFieldCount = 5;
/** Key fields: identity, wrapped, spec, public key. */
export const keyFieldCount = 4;

/** The log of uses, open for appending. */
export const useLogDescriptor = 4;
/** Pipes beside this one, for the helpers of the seal and of the one that is to take its place. */
export const firstHelperDescriptor = 5;

export const statuses = {
  ok: 0,
  /** kind, message */
  fault: 1,
  /** message: a bug of ours */
  bug: 2,
} as const;

export type Field = string | Uint8Array;

export interface Frame {
  readonly id: number;
  readonly code: number;
  /** Views that are wiped once the reader's callback returns: copy what must stay. */
  readonly fields: readonly Buffer[];
}

const headBytes = 9;
const lengthBytes = 4;
/** Far above any honest frame; a larger one means that the pipe is out of step. */
const frameBytesMax = 1024 * 1024;

/** What a batch has at first; a larger one is not used again. */
const batchBytes = 64 * 1024;

/** Frames for one write, packed as they come into a buffer that is wiped and used again. */
export class FrameBatch {
  #bytes: Buffer = Buffer.allocUnsafeSlow(batchBytes);
  #spare: Buffer | undefined;
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(id: number, code: number, fields: readonly Field[]): void {
    const start = this.#length;
    let at = this.#reserve(start, headBytes);
    this.#bytes.writeUInt32BE(id, start + lengthBytes);
    this.#bytes[at - 1] = code;
    for (const field of fields) {
      const size = typeof field === "string" ? Buffer.byteLength(field) : field.length;
      const end = this.#reserve(at, lengthBytes + size);
      this.#bytes.writeUInt32BE(size, at);
      if (typeof field === "string") this.#bytes.write(field, at + lengthBytes);
      else this.#bytes.set(field, at + lengthBytes);
      at = end;
    }
    assert(at - start <= frameBytesMax, "a frame has its bound");
    this.#bytes.writeUInt32BE(at - start - lengthBytes, start);
    this.#length = at;
  }

  /** All frames since the last `take`. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = this.#spare ?? Buffer.allocUnsafeSlow(batchBytes);
    this.#spare = undefined;
    this.#length = 0;
    return taken;
  }

  /** What was taken is written: it is wiped. */
  reuse(taken: Buffer): void {
    taken.fill(0);
    if (taken.buffer.byteLength === batchBytes) this.#spare = Buffer.from(taken.buffer);
  }

  /** Frames that nobody waits for any more. */
  discard(): void {
    this.#bytes.fill(0, 0, this.#length);
    this.#length = 0;
  }

  /** Answers the end of so many bytes at a place. */
  #reserve(at: number, bytes: number): number {
    const end = at + bytes;
    if (end > this.#bytes.length) {
      const longer = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, end));
      this.#bytes.copy(longer, 0, 0, at);
      this.#bytes.fill(0, 0, at);
      this.#bytes = longer;
    }
    return end;
  }
}

/** Joins what holds secrets and wipes the parts. */
export function joinFrames(frames: readonly Buffer[]): Buffer {
  const [only] = frames;
  if (frames.length === 1 && only !== undefined) return only;
  let size = 0;
  for (const frame of frames) size += frame.length;
  const joined = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
    frame.fill(0);
  }
  return joined;
}

const nothing = Buffer.alloc(0);

/** Cuts a stream of chunks into frames. Chunks are wiped: they hold plaintext and data keys. */
export class FrameReader {
  #rest: Buffer = nothing;
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws Error if the bytes are no frames; the pipe is useless then. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : joinFrames([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= lengthBytes) {
      const end = at + lengthBytes + bytes.readUInt32BE(at);
      if (end - at > frameBytesMax || end - at < headBytes) throw new Error("malformed frame");
      if (end > bytes.length) break;
      this.#onFrame(decodeFrame(bytes.subarray(at, end)));
      at = end;
    }
    this.#rest = at === bytes.length ? nothing : Buffer.from(bytes.subarray(at));
    bytes.fill(0);
  }
}

function decodeFrame(frame: Buffer): Frame {
  const fields: Buffer[] = [];
  let at = headBytes;
  while (at < frame.length) {
    if (frame.length - at < lengthBytes) throw new Error("malformed frame");
    const end = at + lengthBytes + frame.readUInt32BE(at);
    if (end > frame.length) throw new Error("malformed frame");
    fields.push(frame.subarray(at + lengthBytes, end));
    at = end;
  }
  return { id: frame.readUInt32BE(4), code: frame[8] ?? 0, fields };
}

/** Field by number; a missing one is a bug of the other side. */
export function field(fields: readonly Buffer[], index: number): Buffer {
  const bytes = fields[index];
  assert(bytes !== undefined, "a frame has all its fields");
  return bytes;
}

export function textField(fields: readonly Buffer[], index: number): string {
  return field(fields, index).toString();
}

/** A copy that outlives the frame, in memory of its own: it may be wiped. */
export function ownField(fields: readonly Buffer[], index: number): Buffer {
  const bytes = field(fields, index);
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/** The same of what is no secret, in memory that small buffers share. */
export function openField(fields: readonly Buffer[], index: number): Buffer {
  return Buffer.from(field(fields, index));
}
