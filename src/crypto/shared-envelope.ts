import { randomBytes } from "node:crypto";
import type { Sealed } from "../kernel/sealed.ts";
import { aeadOpen, aeadSealInto } from "./aead.ts";
import { keyBytes, labels, nonceBytes, tagBytes } from "./constants.ts";
import {
  fillUnique,
  openFrom,
  roomAfter,
  roomBefore,
  type SealingKey,
  sealInto,
} from "./envelope-form.ts";

/**
 * Envelope of a body that several queues have: key part ‖ body part.
 *
 * - The key part (77 bytes) is a content key (32 random bytes) sealed under the queue's data key:
 *   as `envelope-form` has it, with a version of its own. Each queue has another one.
 * - The body part is nonce(12) ‖ ciphertext ‖ tag(16) under the content key, the same for all.
 *
 * INVARIANT: a content key seals for one set of data keys, so a data key opens exactly the bodies
 * that its queue got; where it can be opened no more, neither can they by way of this queue.
 */
export const sharedVersion = 2;
export const keyPartBytes = roomBefore + keyBytes + roomAfter;

const bodyLabel = Buffer.from(labels.sharedBody);

/** Where the body part begins in the room of a body, which has `roomBefore` bytes before it. */
const bodyPartAt = roomBefore - nonceBytes;

/** A queue's share of a body. */
export type SealedShare = Sealed & { readonly bodyPart: Uint8Array };

/** Seals bodies for one set of data keys, in the order in which they are given. */
export class ContentKey {
  readonly #key = randomBytes(keyBytes);
  readonly #keyParts: readonly Pick<Sealed, "dataKeyId" | "bytes">[];

  constructor(dataKeys: readonly SealingKey[]) {
    this.#keyParts = dataKeys.map((dataKey) => {
      const bytes = new Uint8Array(keyPartBytes);
      sealInto(bytes, sharedVersion, dataKey, this.#key);
      return { dataKeyId: dataKey.dataKeyId, bytes };
    });
  }

  /** The data keys that it was sealed under. */
  get dataKeyIds(): readonly string[] {
    return this.#keyParts.map(({ dataKeyId }) => dataKeyId);
  }

  /**
   * The body in `room` (see `sealInRoom`) becomes its body part, in place. Answers what each data
   * key's queue gets of it.
   */
  seal(room: Uint8Array): readonly SealedShare[] {
    const bodyPart = room.subarray(bodyPartAt);
    const nonce = bodyPart.subarray(0, nonceBytes);
    fillUnique(nonce, 0, nonceBytes);
    const body = bodyPart.subarray(nonceBytes, bodyPart.length - tagBytes);
    aeadSealInto(bodyPart.subarray(nonceBytes), this.#key, nonce, bodyLabel, body);
    return this.#keyParts.map((part) => ({ ...part, bodyPart }) as unknown as SealedShare);
  }

  /** It seals nothing any more. */
  wipe(): void {
    this.#key.fill(0);
  }
}

/** As `openBody`. */
export function openShared(envelope: Uint8Array, key: SealingKey): Buffer | undefined {
  const contentKey = openFrom(envelope.subarray(0, keyPartBytes), sharedVersion, key);
  if (contentKey?.length !== keyBytes) return undefined;
  try {
    const bodyPart = envelope.subarray(keyPartBytes);
    const nonce = bodyPart.subarray(0, nonceBytes);
    return aeadOpen(contentKey, nonce, bodyLabel, bodyPart.subarray(nonceBytes));
  } finally {
    contentKey.fill(0);
  }
}
