import { createHmac, timingSafeEqual } from "node:crypto";

/** What a signing key is bound to: access key, day, region and service. */
export interface SigningScope {
  readonly accessKeyId: string;
  /** `YYYYMMDD` */
  readonly scopeDate: string;
  readonly region: string;
  readonly service: string;
}

/** The key of one scope, derived from the secret by AWS's chain of HMACs. The caller wipes it. */
export function deriveSigningKey(secretAccessKey: Buffer, scope: SigningScope): Buffer {
  const prefix = Buffer.from("AWS4");
  const start = Buffer.allocUnsafeSlow(prefix.length + secretAccessKey.length);
  prefix.copy(start);
  secretAccessKey.copy(start, prefix.length);
  let key = start;
  for (const step of [scope.scopeDate, scope.region, scope.service, "aws4_request"]) {
    const next = createHmac("sha256", key).update(step).digest();
    key.fill(0);
    key = next;
  }
  return key;
}

interface Entry {
  readonly secret: Buffer;
  readonly key: Buffer;
}

/**
 * Signing keys by scope, least recently used out first. Keys are wiped when they leave.
 *
 * INVARIANT: a key enters only after a signature under it was found right, so that strangers cannot
 * push out the keys in use; and it answers only to the secret it was derived from.
 */
export class SigningKeyCache {
  readonly #entries = new Map<string, Entry>();
  readonly #entriesMax: number;

  constructor(entriesMax = 1000) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Owned by the cache: use it in the same turn, do not wipe or keep it. */
  find(scope: SigningScope, secret: Buffer): Buffer | undefined {
    const id = scopeId(scope);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    if (entry.secret.length !== secret.length || !timingSafeEqual(entry.secret, secret)) {
      wipe(entry);
      return undefined;
    }
    this.#entries.set(id, entry);
    return entry.key;
  }

  /** Takes the key over; the cache wipes it. */
  keep(scope: SigningScope, secret: Buffer, key: Buffer): void {
    const id = scopeId(scope);
    const old = this.#entries.get(id);
    if (old !== undefined) wipe(old);
    this.#entries.delete(id);
    const copy = Buffer.allocUnsafeSlow(secret.length);
    secret.copy(copy);
    this.#entries.set(id, { secret: copy, key });
    if (this.#entries.size <= this.#entriesMax) return;
    for (const [oldest, entry] of this.#entries) {
      wipe(entry);
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Drops all keys, when the server stops or is sealed. */
  clear(): void {
    for (const entry of this.#entries.values()) wipe(entry);
    this.#entries.clear();
  }
}

function wipe(entry: Entry): void {
  entry.secret.fill(0);
  entry.key.fill(0);
}

function scopeId(scope: SigningScope): string {
  return `${scope.accessKeyId}/${scope.scopeDate}/${scope.region}/${scope.service}`;
}
