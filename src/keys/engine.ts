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
import type { Seal } from "../seals/seal.ts";
import { CipherOperations } from "./cipher-operations.ts";
import { importMaterial, importParameters } from "./import-operations.ts";
import { keyOperation, specField } from "./key-operations.ts";
import { Lanes } from "./lanes.ts";
import { Materials } from "./materials.ts";
import { cipherFieldCount, type Field, field, operations, textField } from "./protocol.ts";

/** AWS: NumberOfBytes of GenerateDataKey. */
const dataKeyBytesMax = 1024;

export interface OpenedEngine {
  /** The ring to store: the given one, or a new one. */
  readonly sealedRing: Uint8Array;
  readonly rootKeyFingerprint: string;
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
  materialCountMax: number,
): Promise<OpenedEngine> {
  const rootKey = await seal.unwrapRoot();
  try {
    const ring = storedRing === undefined ? createRing(random) : open(rootKey, storedRing, seal);
    return {
      sealedRing: storedRing ?? sealRing(rootKey, ring, random),
      rootKeyFingerprint: rootKeyFingerprint(rootKey),
      handedOut: ring.filter(({ purpose }) => purpose !== "material"),
      engine: new Engine(ring, random, materialCountMax),
    };
  } finally {
    rootKey.fill(0);
  }
}

function open(rootKey: Uint8Array, sealed: Uint8Array, seal: Seal): readonly RingKey[] {
  const opened = openRing(rootKey, sealed);
  if (opened.status === "opened") return opened.ring;
  if (opened.status === "wrong-root-key") {
    throw new Fault("root-key-wrong", `the ${seal.name} does not open this data folder`);
  }
  throw new Fault("key-ring-damaged", "the key ring of this data folder was changed or damaged");
}

/** How many RSA keys are made at once; half of the thread pool stays for signatures. */
const generationsMax = 2;

/** What the key process does once it is open. Every answer is a list of fields; see `protocol`. */
export class Engine {
  readonly #random: Random;
  readonly #materials: Materials;
  readonly #ciphers: CipherOperations;
  readonly #lanes = new Lanes(generationsMax);

  constructor(ring: readonly RingKey[], random: Random, materialCountMax: number) {
    this.#random = random;
    this.#materials = new Materials(ring, random, materialCountMax);
    this.#ciphers = new CipherOperations(this.#materials, random);
  }

  /**
   * Symmetric work is answered at once, the rest when its thread is done. Throws Fault
   * `key-material-damaged`, `key-spec-unsupported`. Secret fields are the caller's to wipe.
   */
  handle(
    operation: number,
    fields: readonly Buffer[],
  ): readonly Field[] | Promise<readonly Field[]> {
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
      case operations.forget:
        this.#materials.forget(textField(fields, 0));
        return [];
      default:
        return this.#keyOperation(operation, fields);
    }
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
