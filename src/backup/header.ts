import { createHmac, timingSafeEqual } from "node:crypto";
import { digestBytes } from "../crypto/constants.ts";
import type { WrappedKey } from "../crypto/wrap.ts";
import { BackupError } from "./error.ts";

/*
 * A backup: magic ‖ format(1) ‖ u32be length ‖ header (JSON) ‖ HMAC-SHA-256(32) ‖ payload. The MAC
 * covers all before it under a key that follows from the wrapped one. A backup for somebody else
 * differs in its header alone.
 */
const magic = Buffer.from("SPBACKUP");
const format = 1;
const lengthAt = magic.length + 1;
const jsonAt = lengthAt + 4;
const headerBytesMax = 1024 * 1024;

/** The key of a backup, wrapped for one backup key. */
export interface BackupWrap extends WrappedKey {
  /** Fingerprint of the public key. */
  readonly key: string;
  /** What opens that key's own seal, where the backup carries it. */
  readonly storedSeal?: object;
}

export interface BackupHeader {
  /** 32 random bytes, bound into everything. */
  readonly id: Buffer;
  readonly wraps: readonly BackupWrap[];
}

interface HeaderJson {
  readonly id: string;
  readonly wraps: readonly {
    readonly key: string;
    readonly encapsulation: string;
    readonly wrapped: string;
    readonly storedSeal?: object;
  }[];
}

export function encodeHeader({ id, wraps }: BackupHeader, macKey: Uint8Array): Buffer {
  const text: HeaderJson = {
    id: id.toString("base64"),
    wraps: wraps.map(({ key, encapsulation, wrapped, storedSeal }) => ({
      key,
      encapsulation: encapsulation.toString("base64"),
      wrapped: wrapped.toString("base64"),
      ...(storedSeal && { storedSeal }),
    })),
  };
  const json = Buffer.from(JSON.stringify(text));
  const head = Buffer.alloc(jsonAt);
  magic.copy(head);
  head[magic.length] = format;
  head.writeUInt32BE(json.length, lengthAt);
  const covered = Buffer.concat([head, json]);
  return Buffer.concat([covered, mac(macKey, covered)]);
}

/** A header that was read and not proven yet: only its key, once unwrapped, can prove it. */
export interface ReadHeader extends BackupHeader {
  /** Bytes that it takes in the file. */
  readonly bytes: number;
  /** Whether the header is as whoever knew this key wrote it. */
  holds(macKey: Uint8Array): boolean;
}

/**
 * The header at the beginning of a file; undefined: more bytes are needed.
 *
 * Throws BackupError if the file is no backup, or one of a later form.
 */
export function decodeHeader(bytes: Buffer): ReadHeader | undefined {
  const begin = bytes.subarray(0, magic.length);
  if (!magic.subarray(0, begin.length).equals(begin)) {
    throw new BackupError("the file is no backup of Sealpost");
  }
  if (bytes.length < jsonAt) return undefined;
  if (bytes[magic.length] !== format) {
    throw new BackupError("the backup was made by a newer version of Sealpost");
  }
  const length = bytes.readUInt32BE(lengthAt);
  if (length > headerBytesMax) throw damaged();
  const end = jsonAt + length;
  if (bytes.length < end + digestBytes) return undefined;
  const covered = Buffer.from(bytes.subarray(0, end));
  const given = Buffer.from(bytes.subarray(end, end + digestBytes));
  return {
    ...parseHeader(covered.subarray(jsonAt)),
    bytes: end + digestBytes,
    holds: (macKey) => timingSafeEqual(mac(macKey, covered), given),
  };
}

function parseHeader(json: Buffer): BackupHeader {
  try {
    const { id, wraps }: HeaderJson = JSON.parse(json.toString("utf8"));
    return {
      id: Buffer.from(id, "base64"),
      wraps: wraps.map(({ key, encapsulation, wrapped, storedSeal }) => ({
        key: String(key),
        encapsulation: Buffer.from(encapsulation, "base64"),
        wrapped: Buffer.from(wrapped, "base64"),
        ...(storedSeal && { storedSeal }),
      })),
    };
  } catch {
    throw damaged();
  }
}

function mac(key: Uint8Array, covered: Uint8Array): Buffer {
  return createHmac("sha256", key).update(covered).digest();
}

function damaged(): BackupError {
  return new BackupError("the header of the backup is damaged");
}
