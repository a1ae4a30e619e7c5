import type { Sealed } from "../kernel/sealed.ts";
import { sealInRoom } from "./envelope.ts";
import { HmacKey } from "./hmac.ts";
import { envelopeDigest, placeMac } from "./rows.ts";

/**
 * Seals bodies that came to a thread in the room of their envelopes, and authenticates their
 * places. It holds a copy of each data key for as long as the cache does that decided on its use.
 */
export class LateSealer {
  readonly #dataKeys = new Map<string, Uint8Array>();
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

  drop(dataKeyId: string): void {
    this.#dataKeys.get(dataKeyId)?.fill(0);
    this.#dataKeys.delete(dataKeyId);
  }

  /** See `sealInRoom`. undefined: the data key was dropped, and `room` is as it was. */
  seal(room: Uint8Array, dataKeyId: string, sealingArn: string): Sealed | undefined {
    const dataKey = this.#dataKeys.get(dataKeyId);
    return dataKey && sealInRoom(room, dataKey, dataKeyId, sealingArn);
  }

  /** See `placeMac`. */
  place(queueId: string, messageId: string, { bytes }: Sealed): Uint8Array {
    if (!this.#places) throw new Error("places are authenticated once their key has come");
    return placeMac(this.#places, queueId, messageId, envelopeDigest(bytes));
  }

  wipe(): void {
    for (const id of [...this.#dataKeys.keys()]) this.drop(id);
    this.#places?.wipe();
    this.#places = undefined;
  }
}
