import { type BlobHeader, openBlob, sealBlob } from "../crypto/blob.ts";
import {
  createRing,
  openRing,
  type RingKey,
  rootKeyFingerprint,
  sealRing,
} from "../crypto/keyring.ts";
import { createMaterial, unwrapMaterial, wrapMaterial } from "../crypto/material.ts";
import { assert, Fault } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import type { Seal } from "../seals/seal.ts";
import { MaterialCache } from "./material-cache.ts";
import { type Field, field, operations, textField } from "./protocol.ts";

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

/** What the key process does once it is open. Every answer is a list of fields; see `protocol`. */
export class Engine {
  readonly #ring: readonly RingKey[];
  readonly #random: Random;
  readonly #cache: MaterialCache;

  constructor(ring: readonly RingKey[], random: Random, materialCountMax: number) {
    this.#ring = ring.filter(({ purpose }) => purpose === "material");
    this.#random = random;
    this.#cache = new MaterialCache(materialCountMax);
  }

  /** Throws Fault `key-material-damaged`. Secret fields of the answer are the caller's to wipe. */
  handle(operation: number, fields: readonly Buffer[]): readonly Field[] {
    switch (operation) {
      case operations.createMaterial:
        return this.#createMaterial(fields);
      case operations.encrypt:
        return [this.#seal(fields, field(fields, 5))];
      case operations.decrypt:
        return this.#decrypt(fields);
      case operations.generateDataKey:
        return this.#generateDataKey(fields);
      case operations.forget:
        this.#cache.forget(textField(fields, 0));
        return [];
      default:
        throw new Error("unknown operation");
    }
  }

  #createMaterial(fields: readonly Buffer[]): readonly Field[] {
    const identity = { accountId: textField(fields, 0), keyId: textField(fields, 1) };
    const { materialId, material } = createMaterial(identity, this.#random);
    const wrapped = wrapMaterial(this.#ring, identity, materialId, material, this.#random);
    this.#cache.put(identity, materialId, material);
    return [materialId, wrapped];
  }

  #decrypt(fields: readonly Buffer[]): readonly Field[] {
    const key = blobKey(fields);
    const contextBytes = field(fields, 4);
    const material = this.#material(key, field(fields, 3));
    const plaintext = openBlob({ material, key, contextBytes, blob: field(fields, 5) });
    return plaintext === undefined ? [] : [plaintext];
  }

  #generateDataKey(fields: readonly Buffer[]): readonly Field[] {
    const length = field(fields, 5).readUInt32BE();
    assert(length >= 1 && length <= dataKeyBytesMax, "a data key has 1 to 1024 bytes");
    const plaintext = this.#random.bytes(length);
    return [plaintext, this.#seal(fields, plaintext)];
  }

  #seal(fields: readonly Buffer[], plaintext: Uint8Array): Buffer {
    const key = blobKey(fields);
    const contextBytes = field(fields, 4);
    const material = this.#material(key, field(fields, 3));
    return sealBlob({ material, key, contextBytes, plaintext, random: this.#random });
  }

  #material(key: BlobHeader, wrapped: Uint8Array): Buffer {
    const cached = this.#cache.get(key, key.materialId);
    if (cached !== undefined) return cached;
    const material = unwrapMaterial(this.#ring, key, { materialId: key.materialId, wrapped });
    if (material === undefined) {
      throw new Fault(
        "key-material-damaged",
        "stored key material was changed or is not its key's",
      );
    }
    this.#cache.put(key, key.materialId, material);
    return material;
  }
}

function blobKey(fields: readonly Buffer[]): BlobHeader {
  return {
    accountId: textField(fields, 0),
    keyId: textField(fields, 1),
    materialId: textField(fields, 2),
  };
}
