import { argon2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { aeadOpen, aeadSeal } from "../crypto/aead.ts";
import { keyBytes, labels, nonceBytes } from "../crypto/constants.ts";
import { systemRandom } from "../crypto/random.ts";
import { Fault } from "../kernel/errors.ts";
import type { Seal } from "./seal.ts";
import type { SealReach, StoredPassphraseSeal, StoredSeal } from "./stored.ts";

export interface PassphraseSealSettings {
  readonly kind: "passphrase";
  /** Absolute path of a file with the passphrase; undefined: it comes apart from the settings. */
  readonly file?: string;
}

/** RFC 9106 §4, second recommended option with more memory's worth: 64 MiB, 3 passes, 4 lanes. */
const cost = { memoryKib: 65_536, passes: 3, lanes: 4 } as const;
/** What a stored seal may ask for: a changed one must not take all memory. */
const memoryKibMax = 1_048_576;
const saltBytes = 16;
const passphraseBytesMin = 12;
const newline = 0x0a;

/** A random root key, sealed under a key that Argon2id makes from a passphrase. */
export function passphraseSeal(
  settings: PassphraseSealSettings,
  secret: Uint8Array,
  stored: StoredSeal | undefined,
): Seal {
  return {
    name: settings.file === undefined ? "passphrase" : `passphrase of ${settings.file}`,
    async unwrapRoot() {
      const passphrase = readPassphrase(settings, secret);
      try {
        if (stored === undefined) return makeRoot(passphrase);
        if (stored.kind !== "passphrase") {
          throw new Fault("root-key-damaged", "the stored seal is not a passphrase's");
        }
        return { rootKeys: [openRoot(passphrase, stored)], stored };
      } finally {
        passphrase.fill(0);
      }
    },
  };
}

export function passphraseSealReach({ file }: PassphraseSealSettings): SealReach {
  return { read: file === undefined ? [] : [file], write: [] };
}

function readPassphrase({ file }: PassphraseSealSettings, secret: Uint8Array): Buffer {
  const bytes = file === undefined ? Buffer.from(secret) : readFile(file);
  // An editor ends the last line.
  const end = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
  const passphrase = Buffer.allocUnsafeSlow(end);
  bytes.copy(passphrase, 0, 0, end);
  bytes.fill(0);
  if (passphrase.length > 0) return passphrase;
  throw new Fault(
    "seal-unavailable",
    "the passphrase is missing: set SEALPOST_SEAL_PASSPHRASE or --seal-passphrase-file",
  );
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Fault("seal-unavailable", `the passphrase cannot be read: ${what}`);
  }
}

function makeRoot(passphrase: Buffer) {
  if (passphrase.length < passphraseBytesMin) {
    throw new Fault(
      "root-key-damaged",
      `the passphrase is too short: a new one must have at least ${passphraseBytesMin} characters`,
    );
  }
  const salt = systemRandom.bytes(saltBytes).toString("base64");
  const nonce = systemRandom.bytes(nonceBytes);
  const rootKey = systemRandom.bytes(keyBytes);
  const kept = { kind: "passphrase", salt, ...cost } as const;
  const wrapping = wrappingKey(passphrase, kept);
  const sealedRoot = aeadSeal(wrapping, nonce, associate(kept), rootKey).toString("base64");
  wrapping.fill(0);
  const stored = { ...kept, nonce: nonce.toString("base64"), sealedRoot };
  return { rootKeys: [rootKey], stored };
}

function openRoot(passphrase: Buffer, stored: StoredPassphraseSeal): Buffer {
  if (stored.memoryKib > memoryKibMax) {
    throw new Fault("root-key-damaged", "the stored seal asks for too much memory");
  }
  const wrapping = wrappingKey(passphrase, stored);
  const nonce = Buffer.from(stored.nonce, "base64");
  const sealed = Buffer.from(stored.sealedRoot, "base64");
  const rootKey = aeadOpen(wrapping, nonce, associate(stored), sealed);
  wrapping.fill(0);
  if (rootKey) return rootKey;
  throw new Fault("root-key-wrong", "the passphrase does not open this data folder");
}

type Kept = Pick<StoredPassphraseSeal, "salt" | "memoryKib" | "passes" | "lanes">;

function wrappingKey(passphrase: Buffer, { salt, memoryKib, passes, lanes }: Kept): Buffer {
  return argon2Sync("argon2id", {
    message: passphrase,
    nonce: Buffer.from(salt, "base64"),
    parallelism: lanes,
    tagLength: keyBytes,
    memory: memoryKib,
    passes,
  });
}

function associate({ salt, memoryKib, passes, lanes }: Kept): Buffer {
  return Buffer.from(JSON.stringify([labels.rootSeal, salt, memoryKib, passes, lanes]));
}
