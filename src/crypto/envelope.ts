import type { Random } from "../kernel/random.ts";
import type { Sealed } from "../kernel/sealed.ts";
import { openFrom, roomAfter, roomBefore, sealInto } from "./envelope-form.ts";
import { openShared, sharedVersion } from "./shared-envelope.ts";

export { roomAfter, roomBefore };

/**
 * Envelope of a body, sealed under the queue's or topic's data key: see `envelope-form`. One that
 * several queues have is another version: see `shared-envelope`.
 *
 * INVARIANT: this file and `shared-envelope` alone make `Sealed`
 * (tests/crypto/sealed-origin.test.ts).
 */
const version = 1;

/** Bytes that an envelope is longer than its body. */
export const envelopeOverheadBytes = roomBefore + roomAfter;

/**
 * Seals a body under a data key (32 bytes). `bytes` may lie in Node's shared pool: pack it, or copy
 * it, before it goes to another thread.
 */
export function sealBody(
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
  body: Uint8Array,
  random?: Random,
): Sealed {
  const bytes = Buffer.allocUnsafe(body.length + envelopeOverheadBytes);
  sealInto(bytes, version, { dataKey, dataKeyId, sealingArn }, body, random);
  return { dataKeyId, bytes } as unknown as Sealed;
}

/**
 * As `sealBody`, where the body lies already: `room` is as long as the envelope, with the body at
 * `roomBefore`, and becomes it. Nothing is left of the plaintext.
 */
export function sealInRoom(
  room: Uint8Array,
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
): Sealed {
  const body = room.subarray(roomBefore, room.length - roomAfter);
  sealInto(room, version, { dataKey, dataKeyId, sealingArn }, body);
  return { dataKeyId, bytes: room } as unknown as Sealed;
}

/**
 * The body in a buffer of its own; undefined if it was not sealed under this data key, data-key id
 * and sealing ARN, or was changed since.
 */
export function openBody(
  dataKey: Uint8Array,
  dataKeyId: string,
  sealingArn: string,
  envelope: Uint8Array,
): Buffer | undefined {
  const key = { dataKey, dataKeyId, sealingArn };
  if (envelope[0] === sharedVersion) return openShared(envelope, key);
  return openFrom(envelope, version, key);
}
