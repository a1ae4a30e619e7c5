import { randomBytes } from "node:crypto";
import { type Insertion, withInserted } from "../kernel/body.ts";
import type { Sealed } from "../kernel/sealed.ts";
import { aeadOpen, aeadSealInto } from "./aead.ts";
import { keyBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import { openFrom, roomAfter, roomBefore, type SealingKey, sealInto } from "./envelope-form.ts";
import { fillUnique } from "./unique.ts";

/**
 * Envelope of a body that several queues have: own part ‖ body part.
 *
 * - The own part is version(1) ‖ length(2) ‖ what follows of it, sealed under the queue's data key:
 *   as `envelope-form` has it, with this version: content key(32) [‖ before(4) ‖ inserted bytes].
 * - The body part is nonce(12) ‖ ciphertext ‖ tag(16) under the content key, the same for all.
 *
 * INVARIANT: a content key seals for one set of data keys, so a data key opens exactly the bodies
 * that its queue got; where it can be opened no more, neither can they by way of this queue.
 */
export const sharedVersion = 2;

const headBytes = 3;
const beforeBytes = 4;

const bodyLabel = Buffer.from(labels.sharedBody);

/** Where the body part begins in the room of a body, which has `roomBefore` bytes before it. */
const bodyPartAt = roomBefore - nonceBytes;

/** Both parts of a shared envelope. Of one that is cut off they are shorter. */
export function partsOf(envelope: Uint8Array): { own: Uint8Array; bodyPart: Uint8Array } {
  const length = headBytes + (((envelope[1] ?? 0) << 8) | (envelope[2] ?? 0));
  return { own: envelope.subarray(0, length), bodyPart: envelope.subarray(length) };
}

/** A queue's share of a body: whose data key, and what only its copy has. */
export interface OwnShare {
  readonly key: SealingKey;
  readonly insertion: Insertion | undefined;
}

export type SealedShare = Sealed & { readonly bodyPart: Uint8Array };

/** Seals bodies for one set of data keys, in the order in which they are given. */
export class ContentKey {
  readonly dataKeyIds: readonly string[];
  readonly #key = randomBytes(keyBytes);
  /** What was sealed last for each data key: it mostly serves the next body as well. */
  readonly #ownParts: OwnPart[] = [];

  constructor(dataKeyIds: readonly string[]) {
    this.dataKeyIds = dataKeyIds;
  }

  /**
   * The body in `room` (see `sealInRoom`) becomes its body part, in place. Answers what each data
   * key's queue gets of it.
   */
  seal(room: Uint8Array, shares: readonly OwnShare[]): readonly SealedShare[] {
    const bodyPart = room.subarray(bodyPartAt);
    const nonce = bodyPart.subarray(0, nonceBytes);
    fillUnique(nonce, 0, nonceBytes);
    const body = bodyPart.subarray(nonceBytes, bodyPart.length - tagBytes);
    aeadSealInto(bodyPart.subarray(nonceBytes), this.#key, nonce, bodyLabel, body);
    return shares.map(({ key, insertion }, index) => {
      const bytes = this.#ownPart(key, insertion, index);
      return { dataKeyId: key.dataKeyId, bytes, bodyPart } as unknown as SealedShare;
    });
  }

  #ownPart(key: SealingKey, insertion: Insertion | undefined, index: number): Uint8Array {
    const known = this.#ownParts[index];
    if (known && isSame(known.insertion, insertion)) return known.bytes;
    const bytes = this.#sealOwn(key, insertion);
    const kept = insertion && { ...insertion, bytes: Uint8Array.from(insertion.bytes) };
    this.#ownParts[index] = { insertion: kept, bytes };
    return bytes;
  }

  #sealOwn(key: SealingKey, insertion: Insertion | undefined): Uint8Array {
    const inserted = insertion?.bytes.length ?? 0;
    const length = roomBefore + keyBytes + (insertion ? beforeBytes + inserted : 0) + roomAfter;
    // It is kept, and must not keep the rest of Node's shared pool.
    const part = Buffer.allocUnsafeSlow(headBytes + length);
    part[0] = sharedVersion;
    part.writeUInt16BE(length, 1);
    const form = part.subarray(headBytes);
    const plaintext = form.subarray(roomBefore, length - roomAfter);
    plaintext.set(this.#key);
    if (insertion) {
      plaintext.writeUInt32BE(insertion.before, keyBytes);
      plaintext.set(insertion.bytes, keyBytes + beforeBytes);
    }
    sealInto(form, sharedVersion, key, plaintext);
    return part;
  }

  /** It seals nothing any more. */
  wipe(): void {
    this.#key.fill(0);
    for (const { insertion } of this.#ownParts) insertion?.bytes.fill(0);
  }
}

interface OwnPart {
  readonly insertion: Insertion | undefined;
  readonly bytes: Uint8Array;
}

function isSame(one: Insertion | undefined, other: Insertion | undefined): boolean {
  if (!one || !other) return one === other;
  return one.before === other.before && Buffer.compare(one.bytes, other.bytes) === 0;
}

/** As `openBody`. */
export function openShared(envelope: Uint8Array, key: SealingKey): Buffer | undefined {
  const { own, bodyPart } = partsOf(envelope);
  const opened = openFrom(own.subarray(headBytes), sharedVersion, key);
  if (!opened || opened.length < keyBytes) return undefined;
  const contentKey = opened.subarray(0, keyBytes);
  const nonce = bodyPart.subarray(0, nonceBytes);
  const body = aeadOpen(contentKey, nonce, bodyLabel, bodyPart.subarray(nonceBytes));
  contentKey.fill(0);
  if (!body || opened.length === keyBytes) return body;
  const before = opened.readUInt32BE(keyBytes);
  return withInserted(body, { before, bytes: opened.subarray(keyBytes + beforeBytes) });
}
