import { hash } from "node:crypto";
import { digestBytes } from "./constants.ts";
import { hkdf } from "./derive.ts";
import type { RingKey } from "./keyring.ts";

/** INVARIANT: never given another meaning; see `constants.ts`. */
const keyLabel = "sealpost.chain.key.1";
const linkLabel = "sealpost.chain.1";

/** The key under which a chain of audit events is made; older versions verify what they made. */
export interface ChainKey {
  readonly version: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const blockBytes = 64;

/** FIPS 198-1: the key in a block of the hash, each byte exclusive-or with the pad; then room. */
function padded(key: Uint8Array, pad: number, roomBytes = 0): Buffer {
  const block = Buffer.alloc(blockBytes + roomBytes, pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}

/** Both pads of a key that is used again and again. */
const pads = new WeakMap<Uint8Array, { readonly inner: Buffer; readonly outer: Buffer }>();

/**
 * HMAC-SHA-256 of a head and a content. One-shot hashes that answer texts (one character a byte):
 * measured at a third of the time of `createHmac`, and every link of the audit takes one on the
 * store's thread.
 */
function hmac(key: Uint8Array, head: string, content: string | Uint8Array): Buffer {
  let own = pads.get(key);
  if (own === undefined) {
    own = { inner: padded(key, 0x36), outer: padded(key, 0x5c, digestBytes) };
    pads.set(key, own);
  }
  const headBytes = Buffer.byteLength(head);
  const contentBytes = typeof content === "string" ? Buffer.byteLength(content) : content.length;
  const message = Buffer.allocUnsafe(blockBytes + headBytes + contentBytes);
  own.inner.copy(message);
  message.write(head, blockBytes);
  if (typeof content === "string") message.write(content, blockBytes + headBytes);
  else message.set(content, blockBytes + headBytes);
  own.outer.write(hash("sha256", message, "binary"), blockBytes, "latin1");
  return Buffer.from(hash("sha256", own.outer, "binary"), "latin1");
}

/** A place in a chain: events are numbered from 1 without gaps. */
export interface ChainPlace {
  readonly accountId: string;
  readonly region: string;
  /** "": the event history; else the name of the trail whose events wait for delivery. */
  readonly lane: string;
  readonly number: number;
}

/** What stands before the first event of a chain. */
export const chainStart: Uint8Array = new Uint8Array(digestBytes);

/** The chain keys that belong to the `rows` keys of a ring. */
export function chainKeys(ring: readonly RingKey[]): ChainKey[] {
  return ring
    .filter(({ purpose }) => purpose === "rows")
    .map(({ version, key }) => ({ version, key: hkdf(key, "", keyLabel) }));
}

/**
 * Hash of one link: HMAC-SHA-256 over its place, the hash before it, what the store keeps beside
 * the record, and the record (of a batch: its records), as text or its UTF-8. INVARIANT: the head
 * is one line of JSON, so no two links share their bytes. Without the key nobody makes a chain
 * anew, whoever can write the store.
 */
export function chainHash(
  { key }: ChainKey,
  place: ChainPlace,
  before: Uint8Array,
  facts: readonly unknown[],
  record: string | Uint8Array,
): Buffer {
  const { accountId, region, lane, number } = place;
  const previous = Buffer.from(before.buffer, before.byteOffset, before.length).toString("hex");
  const head = JSON.stringify([linkLabel, accountId, region, lane, number, previous, facts]);
  return hmac(key, `${head}\n`, record);
}

/**
 * What the hash of an event of the history covers beside place and record, in this order.
 * INVARIANT: never changed for what is stored already.
 */
export function historyFacts(event: {
  readonly eventId: string;
  readonly timeMs: number;
  readonly eventName: string;
  readonly eventSource: string;
  readonly username: string;
  readonly accessKeyId: string;
  readonly readOnly: boolean;
  readonly resources: readonly { readonly type: string; readonly name: string }[];
}): readonly unknown[] {
  return [
    event.eventId,
    event.timeMs,
    event.eventName,
    event.eventSource,
    event.username,
    event.accessKeyId,
    event.readOnly,
    event.resources.map(({ type, name }) => [type, name]),
  ];
}

/** The same for a batch of events that waits for its delivery by a trail. */
export function waitingFacts(batch: {
  readonly oldestMs: number;
  readonly newestMs: number;
  readonly eventRegion: string;
}): readonly unknown[] {
  return [batch.oldestMs, batch.newestMs, batch.eventRegion];
}
