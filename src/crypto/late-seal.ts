import { hash } from "node:crypto";
import type { Sealed, Unsealed } from "../kernel/sealed.ts";
import { ContentKeys } from "./content-keys.ts";
import { sealInRoom } from "./envelope.ts";
import { HmacKey } from "./hmac.ts";
import { envelopeDigest, placeMac, shareDigest } from "./rows.ts";
import type { OwnShare } from "./shared-envelope.ts";

/** Where a message's body comes to lie. */
export interface BodyPlace {
  readonly queueId: string;
  readonly messageId: string;
}

/** Whose body it is, and under what it is to be sealed. */
export interface BodyOwner extends BodyPlace, Pick<Unsealed, "dataKeyId" | "sealingArn"> {}

/** One of those that have a body, and what only its copy has. */
export interface BodyShare extends BodyOwner, Pick<Unsealed, "insertion"> {}

export interface PlacedBody {
  readonly sealed: Sealed;
  /** See `placeMac`. */
  readonly placeMac: Uint8Array;
}

/**
 * Seals bodies that came to a thread in the room of their envelopes, and authenticates their
 * places. It holds a copy of each data key for as long as the cache does that decided on its use.
 */
export class LateSealer {
  readonly #dataKeys = new Map<string, Uint8Array>();
  readonly #contentKeys = new ContentKeys();
  #places: HmacKey | undefined;

  /** Under the present `places` key of the ring. Takes the key over and wipes it. */
  placesUnder(key: Uint8Array): void {
    this.#places?.wipe();
    this.#places = new HmacKey(key);
    key.fill(0);
  }

  /** Takes a data key over: nobody else holds these bytes. */
  keep(dataKeyId: string, dataKey: Uint8Array): void {
    this.drop(dataKeyId);
    this.#dataKeys.set(dataKeyId, dataKey);
  }

  /** Content keys that it sealed go with it. */
  drop(dataKeyId: string): void {
    this.#contentKeys.drop(dataKeyId);
    this.#dataKeys.get(dataKeyId)?.fill(0);
    this.#dataKeys.delete(dataKeyId);
  }

  /** See `sealInRoom`. undefined: the data key was dropped, and `room` is as it was. */
  seal(room: Uint8Array, owner: BodyOwner): PlacedBody | undefined {
    const { dataKeyId, sealingArn } = owner;
    const dataKey = this.#dataKeys.get(dataKeyId);
    if (!dataKey) return undefined;
    const sealed = sealInRoom(room, dataKey, dataKeyId, sealingArn);
    return { sealed, placeMac: this.#place(owner, envelopeDigest(sealed.bytes)) };
  }

  /**
   * Seals a body once for all that have it, in the order of `shares`; see `ContentKey`. Insertions
   * are wiped. undefined: a data key was dropped, and `room` is as it was.
   */
  sealShared(room: Uint8Array, shares: readonly BodyShare[]): PlacedBody[] | undefined {
    const own = shares.flatMap(({ dataKeyId, sealingArn, insertion }): OwnShare[] => {
      const dataKey = this.#dataKeys.get(dataKeyId);
      return dataKey ? [{ key: { dataKey, dataKeyId, sealingArn }, insertion }] : [];
    });
    if (own.length < shares.length) return undefined;
    const contentKey = this.#contentKeys.of(shares.map(({ dataKeyId }) => dataKeyId));
    const sealed = contentKey.seal(room, own);
    for (const { insertion } of shares) insertion?.bytes.fill(0);
    let bodyDigest: string | undefined;
    return shares.map((share, index) => {
      const part = sealed[index];
      if (!part) throw new Error("a content key answers each of its data keys");
      bodyDigest ??= hash("sha256", part.bodyPart);
      return { sealed: part, placeMac: this.#place(share, shareDigest(part.bytes, bodyDigest)) };
    });
  }

  #place({ queueId, messageId }: BodyPlace, digest: string): Uint8Array {
    if (!this.#places) throw new Error("places are authenticated once their key has come");
    return placeMac(this.#places, queueId, messageId, digest);
  }

  wipe(): void {
    for (const id of [...this.#dataKeys.keys()]) this.drop(id);
    this.#places?.wipe();
    this.#places = undefined;
  }
}
