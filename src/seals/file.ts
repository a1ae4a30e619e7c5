import * as fs from "node:fs";
import { dirname } from "node:path";
import { keyBytes } from "../crypto/constants.ts";
import { systemRandom } from "../crypto/random.ts";
import { Fault } from "../kernel/errors.ts";
import type { Seal } from "./seal.ts";
import type { SealReach } from "./stored.ts";

export interface FileSealSettings {
  readonly kind: "file";
  /** Absolute path of the root key. */
  readonly path: string;
  /** Make the root key if there is none. INVARIANT: false whenever a store exists already. */
  readonly mayCreate: boolean;
}

/** The file: one line that names its format, one line of 64 hex digits. */
const header = Buffer.from("sealpost root key 1\n");
const fileBytes = header.length + keyBytes * 2 + 1;
const othersMask = 0o077;
const newline = 0x0a;

/** The root key in a file that only its owner can read. */
export function fileSeal(settings: FileSealSettings): Seal {
  const { path, mayCreate } = settings;
  return {
    name: `root key file ${path}`,
    async unwrapRoot() {
      try {
        if (mayCreate && !fs.existsSync(path)) createRootKey(path);
        const rootKeys = [readRootKey(path)];
        // A rotation was cut off: which of the two it is, the ring tells.
        if (fs.existsSync(nextOf(path))) rootKeys.push(readRootKey(nextOf(path)));
        return { rootKeys, stored: { kind: "file" } };
      } catch (error) {
        throw explain(error, settings);
      }
    },
  };
}

export function fileSealReach({ path, mayCreate }: FileSealSettings): SealReach {
  if (!mayCreate) return { read: [path, nextOf(path)], write: [] };
  const folder = dirname(path);
  return { read: [folder], write: [path, draftOf(path)] };
}

/** Where a rotation puts the new root key until the ring is sealed under it. */
export function nextOf(path: string): string {
  return `${path}.next`;
}

function draftOf(path: string): string {
  return `${path}.new`;
}

/**
 * Puts a root key that was just made on disk for good, and ends a rotation that was cut off. The
 * server does this: Node's permission model, under which the key process runs, has no fsync. No
 * byte of a key is read.
 */
export function settleFileSeal({ path }: FileSealSettings, usedIndex: number): void {
  const next = nextOf(path);
  if (fs.existsSync(next)) {
    if (usedIndex === 1) fs.renameSync(next, path);
    else fs.unlinkSync(next);
  }
  sync(path);
  sync(dirname(path));
}

/** A crash leaves no root key or a whole one; an existing one is never replaced. */
function createRootKey(path: string): void {
  const draft = draftOf(path);
  fs.rmSync(draft, { force: true });
  const text = formatRootKey(systemRandom.bytes(keyBytes));
  const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;
  // Synchronous, so that the name never leads to a file whose bytes are not on disk yet.
  const file = fs.openSync(draft, flags | fs.constants.O_SYNC, 0o600);
  try {
    fs.writeSync(file, text);
  } finally {
    fs.closeSync(file);
    text.fill(0);
  }
  // A link, unlike a rename, fails if another process came first.
  fs.linkSync(draft, path);
  fs.unlinkSync(draft);
}

function sync(path: string): void {
  const opened = fs.openSync(path, "r");
  try {
    fs.fsyncSync(opened);
  } finally {
    fs.closeSync(opened);
  }
}

function readRootKey(path: string): Buffer {
  const file = fs.openSync(path, "r");
  const text = Buffer.allocUnsafeSlow(fileBytes + 1);
  try {
    checkPrivate(fs.fstatSync(file), path);
    const length = fs.readSync(file, text);
    return parseRootKey(text.subarray(0, length), path);
  } finally {
    fs.closeSync(file);
    text.fill(0);
  }
}

/** Asks the open file, so that nobody can exchange it between the question and the reading. */
function checkPrivate(facts: fs.Stats, path: string): void {
  if (!facts.isFile()) throw new Fault("root-key-damaged", `the root key ${path} is not a file`);
  const mode = facts.mode & 0o777;
  if ((mode & othersMask) !== 0) {
    const text = mode.toString(8).padStart(4, "0");
    throw new Fault(
      "root-key-exposed",
      `the root key ${path} has mode ${text}, so others can reach it; run: chmod 600 ${path}`,
    );
  }
  const user = process.geteuid?.();
  if (user !== undefined && facts.uid !== user) {
    throw new Fault(
      "root-key-exposed",
      `the root key ${path} belongs to user ${facts.uid}, not to user ${user} who runs this ` +
        `server; run: chown ${user} ${path} && chmod 600 ${path}`,
    );
  }
}

/** Digits are read from bytes and written as bytes: a string could not be wiped. */
function parseRootKey(text: Buffer, path: string): Buffer {
  const end = text.at(-1) === newline ? text.length - 1 : text.length;
  const digits = text.subarray(header.length, end);
  const headed = text.subarray(0, header.length).equals(header);
  const key = Buffer.allocUnsafeSlow(keyBytes);
  let whole = headed && digits.length === keyBytes * 2;
  for (let index = 0; whole && index < keyBytes; index += 1) {
    const high = digitValue(digits[index * 2]);
    const low = digitValue(digits[index * 2 + 1]);
    whole = high >= 0 && low >= 0;
    key[index] = (high << 4) | low;
  }
  if (whole) return key;
  key.fill(0);
  throw new Fault(
    "root-key-damaged",
    `${path} is not a root key: expected the line "sealpost root key 1" and 64 hex digits`,
  );
}

function formatRootKey(key: Buffer): Buffer {
  const text = Buffer.allocUnsafeSlow(fileBytes);
  header.copy(text);
  for (const [index, byte] of key.entries()) {
    text[header.length + index * 2] = digitCode(byte >> 4);
    text[header.length + index * 2 + 1] = digitCode(byte & 15);
  }
  text[fileBytes - 1] = newline;
  key.fill(0);
  return text;
}

const digitCode = (value: number): number => (value < 10 ? 0x30 + value : 0x57 + value);

function digitValue(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function explain(error: unknown, { path, mayCreate }: FileSealSettings): Error {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "ENOENT" && !mayCreate) {
    return new Fault(
      "root-key-missing",
      `there is no root key at ${path}; this data folder opens only with the one it was made ` +
        "with: restore it from its backup",
    );
  }
  const what = error instanceof Error ? error.message : String(error);
  return new Fault("root-key-unreadable", `the root key ${path} cannot be used: ${what}`);
}
