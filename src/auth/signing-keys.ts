import { createHmac, timingSafeEqual } from "node:crypto";
import type { HmacKey } from "../crypto/hmac.ts";

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

/** A scope as a request names it. */
export interface ClaimedScope extends SigningScope {
  /** `accessKeyId/date/region/service/aws4_request`, the whole of it. */
  readonly credential: string;
}

interface Entry {
  readonly secret: Buffer;
  readonly key: HmacKey;
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
  /** The entry used last stands at the end already. */
  #latest = "";

  constructor(entriesMax = 20_000) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Owned by the cache: use it in the same turn, do not wipe or keep it. */
  find({ credential }: ClaimedScope, secret: Buffer): HmacKey | undefined {
    const entry = this.#entries.get(credential);
    if (entry === undefined) return undefined;
    if (entry.secret.length !== secret.length || !timingSafeEqual(entry.secret, secret)) {
      this.#entries.delete(credential);
      wipe(entry);
      return undefined;
    }
    if (credential !== this.#latest) this.#toEnd(credential, entry);
    return entry.key;
  }

  /** Takes the key over; the cache wipes it. */
  keep({ credential }: ClaimedScope, secret: Buffer, key: HmacKey): void {
    const old = this.#entries.get(credential);
    if (old !== undefined) wipe(old);
    const copy = Buffer.allocUnsafeSlow(secret.length);
    secret.copy(copy);
    this.#toEnd(credential, { secret: copy, key });
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

  #toEnd(credential: string, entry: Entry): void {
    this.#entries.delete(credential);
    this.#entries.set(credential, entry);
    this.#latest = credential;
  }
}

function wipe(entry: Entry): void {
  entry.secret.fill(0);
  entry.key.wipe();
}
