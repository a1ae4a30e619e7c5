import type { KeyObject } from "node:crypto";
import { privateKeyOf } from "../crypto/signature.ts";
import type { KeySpec } from "../kernel/key-specs.ts";

interface Entry {
  readonly material: Buffer;
  /** The material as OpenSSL has read it, once it was asked for. */
  privateKey: KeyObject | undefined;
  /** Since it was last looked at for leaving. */
  used: boolean;
}

/** What an entry takes beside its material, measured on the heap. */
export const entryBytes = 640;
/** What OpenSSL takes for an RSA key of 2048 bits that has signed, measured; others take less. */
export const privateKeyBytes = 14 * 1024;

/**
 * Unwrapped material, wiped when it leaves. A hit needs the same account, key, material and spec as
 * the unwrapping did: the cache must not loosen what the wrapping binds.
 *
 * The oldest leaves first, but what was used since it came, or since it was last spared, is spared
 * once more: nothing moves when it is used.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>();
  readonly #bytesMax: number;
  #bytes = 0;

  /** `bytesMax`: of all that the entries hold, their names and bookkeeping included. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Valid until the cache is next changed. `identity`: see `blobIdentity`. */
  get(identity: Buffer, spec: KeySpec): Buffer | undefined {
    const entry = this.#entries.get(nameOf(identity, spec));
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.material;
  }

  /**
   * Reads a private key once. A key that is read for each signature stays, with all its bytes,
   * until V8 collects its old generation: thousands of copies, in memory that V8 knows nothing of.
   */
  privateKey(identity: Buffer, spec: KeySpec): KeyObject | undefined {
    const entry = this.#entries.get(nameOf(identity, spec));
    if (entry === undefined || entry.privateKey) return entry?.privateKey;
    const privateKey = privateKeyOf(entry.material);
    entry.privateKey = privateKey;
    this.#bytes += privateKeyBytes;
    this.#shrink();
    return privateKey;
  }

  /** Takes the material over: it is wiped here. */
  put(identity: Buffer, spec: KeySpec, material: Buffer): void {
    const name = nameOf(identity, spec);
    this.#remove(name);
    this.#bytes += entryBytes + material.length;
    this.#shrink();
    this.#entries.set(name, { material, privateKey: undefined, used: false });
  }

  /** Wipes all that is kept of a material (its id: 64 hex digits). */
  forget(materialId: string): void {
    const end = Buffer.from(materialId, "hex").toString("latin1");
    if (end === "") return;
    for (const name of this.#entries.keys()) if (name.endsWith(end)) this.#remove(name);
  }

  #shrink(): void {
    while (this.#bytes > this.#bytesMax && this.#entries.size > 0) this.#makeRoom();
  }

  #makeRoom(): void {
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    const [name, entry] = oldest;
    if (!entry.used) {
      this.#remove(name);
      return;
    }
    entry.used = false;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#bytes -= entryBytes + entry.material.length;
    if (entry.privateKey) this.#bytes -= privateKeyBytes;
    entry.material.fill(0);
    this.#entries.delete(name);
  }
}

/** The material's id comes last. */
function nameOf(identity: Buffer, spec: KeySpec): string {
  const bytes = identity.toString("latin1");
  return spec === "SYMMETRIC_DEFAULT" ? bytes : spec + bytes;
}
