import { assertKeyIdentity } from "../crypto/blob.ts";
import { type ClearMaterial, generateMaterial } from "../crypto/key-material.ts";
import {
  createRing,
  openRing,
  type RingKey,
  rootKeyFingerprint,
  sealRing,
} from "../crypto/keyring.ts";
import { newMaterialId } from "../crypto/material.ts";
import { assert, Fault } from "../kernel/errors.ts";
import { type KeySpec, keyForm } from "../kernel/key-specs.ts";
import type { Random } from "../kernel/random.ts";
import type { Seal, StoredSeal } from "../seals/seal.ts";
import { sealBackup } from "./backup-operations.ts";
import { CipherOperations } from "./cipher-operations.ts";
import { importMaterial, importParameters } from "./import-operations.ts";
import { keyOperation, specField } from "./key-operations.ts";
import { Lanes } from "./lanes.ts";
import { Materials } from "./materials.ts";
import { cipherFieldCount, type Field, field, operations, textField } from "./protocol.ts";
import { createUseLog, followLines, type UseLog, type UseLogOptions } from "./use-log.ts";

/** AWS: NumberOfBytes of GenerateDataKey. */
const dataKeyBytesMax = 1024;

export interface OpenedEngine {
  /** The ring to store: the given one, or a new one. */
  readonly sealedRing: Uint8Array;
  readonly rootKeyFingerprint: string;
  readonly storedSeal: StoredSeal;
  /** Which of the seal's root keys opened the ring. */
  readonly usedIndex: number;
  /** Ring keys that the server works with itself; never those of purpose `material`. */
  readonly handedOut: readonly RingKey[];
  readonly engine: Engine;
}

/**
 * Opens the key ring with the root key of a seal, or makes a new ring if there is none. The root
 * key is wiped before this answers.
 *
 * Throws Fault `root-key-wrong` and `key-ring-damaged`, and what the seal throws.
 */
export async function openEngine(
  seal: Seal,
  storedRing: Uint8Array | undefined,
  random: Random,
  materialBytesMax: number,
): Promise<OpenedEngine> {
  const { rootKeys, stored: storedSeal } = await seal.unwrapRoot();
  try {
    const [first] = rootKeys;
    assert(first !== undefined, "a seal has a root key");
    const made = createRing(random);
    const { ring, rootKey, usedIndex } =
      storedRing === undefined
        ? { ring: made, rootKey: first, usedIndex: 0 }
        : openWith(rootKeys, storedRing, seal);
    return {
      sealedRing: storedRing ?? sealRing(rootKey, ring, random),
      rootKeyFingerprint: rootKeyFingerprint(rootKey),
      storedSeal,
      usedIndex,
      handedOut: ring.filter(({ purpose }) => purpose !== "material"),
      engine: new Engine(ring, random, materialBytesMax),
    };
  } finally {
    for (const rootKey of rootKeys) rootKey.fill(0);
  }
}

/** A ring under another root key. */
export interface Resealed {
  readonly sealedRing: Uint8Array;
  readonly rootKeyFingerprint: string;
  readonly storedSeal: StoredSeal;
  readonly oldFingerprint: string;
}

/**
 * Opens the ring with one seal and seals it under the root key of another. No ring key changes, so
 * nothing that they sealed is touched.
 */
export async function reseal(
  from: Seal,
  to: Seal,
  storedRing: Uint8Array,
  random: Random,
): Promise<Resealed> {
  const { rootKeys } = await from.unwrapRoot();
  try {
    const { ring, rootKey } = openWith(rootKeys, storedRing, from);
    const oldFingerprint = rootKeyFingerprint(rootKey);
    const { rootKeys: next, stored: storedSeal } = await to.unwrapRoot();
    const [newRoot] = next;
    assert(newRoot !== undefined, "a seal has a root key");
    const sealedRing = sealRing(newRoot, ring, random);
    const answer = { sealedRing, storedSeal, oldFingerprint };
    const fingerprint = rootKeyFingerprint(newRoot);
    for (const key of [...next, ...ring.map(({ key: ringKey }) => ringKey)]) key.fill(0);
    return { ...answer, rootKeyFingerprint: fingerprint };
  } finally {
    for (const rootKey of rootKeys) rootKey.fill(0);
  }
}

function openWith(
  rootKeys: readonly Buffer[],
  sealed: Uint8Array,
  seal: Seal,
): { ring: readonly RingKey[]; rootKey: Buffer; usedIndex: number } {
  for (const [usedIndex, rootKey] of rootKeys.entries()) {
    const opened = openRing(rootKey, sealed);
    if (opened.status === "opened") return { ring: opened.ring, rootKey, usedIndex };
    if (opened.status === "wrong-root-key") continue;
    throw new Fault("key-ring-damaged", "the key ring of this data folder was changed or damaged");
  }
  throw new Fault("root-key-wrong", `the ${seal.name} does not open this data folder`);
}

/** How many RSA keys are made at once; half of the thread pool stays for signatures. */
const generationsMax = 2;

/** What the key process does once it is open. Every answer is a list of fields; see `protocol`. */
export class Engine {
  readonly #random: Random;
  readonly #materials: Materials;
  readonly #ciphers: CipherOperations;
  readonly #lanes = new Lanes(generationsMax);
  readonly #ring: readonly RingKey[];
  #uses: UseLog | undefined;

  constructor(ring: readonly RingKey[], random: Random, materialBytesMax: number) {
    this.#random = random;
    this.#ring = ring;
    this.#materials = new Materials(ring, random, materialBytesMax);
    this.#ciphers = new CipherOperations(this.#materials);
  }

  /** From now on every use of material is counted in a log. */
  logUses(options: Omit<UseLogOptions, "ring">): UseLog {
    this.#uses = createUseLog({ ...options, ring: this.#ring });
    return this.#uses;
  }

  /**
   * Symmetric work is answered at once, the rest when its thread is done. Throws Fault
   * `key-material-damaged`, `key-spec-unsupported`. Secret fields are the caller's to wipe.
   */
  handle(
    operation: number,
    fields: readonly Buffer[],
  ): readonly Field[] | Promise<readonly Field[]> {
    this.#uses?.count(operation, fields);
    switch (operation) {
      case operations.createMaterial:
        return this.#createMaterial(fields);
      case operations.encrypt:
        return this.#ciphers.encrypt(fields);
      case operations.decrypt:
        return this.#ciphers.decrypt(fields);
      case operations.reEncrypt:
        return this.#ciphers.reEncrypt(fields);
      case operations.generateDataKey:
        return this.#generateDataKey(fields);
      case operations.generateKeyPair:
        return this.#generateKeyPair(fields.map(ownCopy));
      case operations.importParameters:
        return importParameters(this.#materials, this.#random, this.#lanes, fields);
      case operations.importMaterial:
        return importMaterial(this.#materials, fields);
      case operations.checkUses:
        return this.#checkUses(fields);
      case operations.sealBackup:
        return sealBackup(this.#ring, fields.map(ownCopy), this.#random);
      case operations.forget:
        this.#materials.forget(textField(fields, 0));
        return [];
      default:
        return this.#keyOperation(operation, fields);
    }
  }

  #checkUses(fields: readonly Buffer[]): readonly Field[] {
    this.#uses?.flush();
    const place = { number: Number(textField(fields, 0)), mac: textField(fields, 1) };
    const reached = followLines(this.#ring, place, fields.slice(2).map(String));
    return "brokenLine" in reached ? [String(reached.brokenLine), ""] : ["", reached.mac];
  }

  #keyOperation(operation: number, fields: readonly Buffer[]) {
    const answer = keyOperation(this.#materials, this.#random, operation, fields);
    if (answer === undefined) throw new Error("unknown operation");
    return answer;
  }

  async #createMaterial(fields: readonly Buffer[]): Promise<readonly Field[]> {
    const identity = { accountId: textField(fields, 0), keyId: textField(fields, 1) };
    const spec = specField(fields, 2);
    assertKeyIdentity(identity);
    const { material, publicKey } = await this.#fresh(spec);
    const materialId = newMaterialId(identity, material, this.#random);
    const wrapped = this.#materials.adopt({ ...identity, materialId }, spec, material);
    return [materialId, wrapped, publicKey ?? ""];
  }

  #fresh(spec: KeySpec): Promise<ClearMaterial> {
    const make = () => generateMaterial(spec, this.#random);
    return keyForm(spec).family === "rsa" ? this.#lanes.run(make) : make();
  }

  #generateDataKey(fields: readonly Buffer[]): readonly Field[] {
    const length = field(fields, cipherFieldCount).readUInt32BE();
    assert(length >= 1 && length <= dataKeyBytesMax, "a data key has 1 to 1024 bytes");
    const plaintext = this.#random.bytes(length);
    return [plaintext, this.#ciphers.sealFresh(fields, plaintext)];
  }

  async #generateKeyPair(fields: readonly Buffer[]): Promise<readonly Field[]> {
    const { material, publicKey } = await this.#fresh(specField(fields, cipherFieldCount));
    const blob = this.#ciphers.sealFresh(fields, material);
    if (textField(fields, cipherFieldCount + 1) === "1") return [publicKey ?? "", blob, material];
    material.fill(0);
    return [publicKey ?? "", blob];
  }
}

/** A frame's bytes are wiped once the reader's turn is over. */
function ownCopy(bytes: Buffer): Buffer {
  return Buffer.from(bytes);
}
