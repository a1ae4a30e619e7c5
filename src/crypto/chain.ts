import { createHmac } from "node:crypto";
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
 * Hash of one event: HMAC-SHA-256 over its place, the hash before it, what the store keeps beside
 * the record, and the record. INVARIANT: the head is one line of JSON, so no two events share their
 * bytes. Without the key nobody makes a chain anew, whoever can write the store.
 */
export function chainHash(
  { key }: ChainKey,
  place: ChainPlace,
  before: Uint8Array,
  facts: readonly unknown[],
  record: string,
): Buffer {
  const { accountId, region, lane, number } = place;
  const previous = Buffer.from(before.buffer, before.byteOffset, before.length).toString("hex");
  const head = JSON.stringify([linkLabel, accountId, region, lane, number, previous, facts]);
  return createHmac("sha256", key).update(`${head}\n${record}`).digest();
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

/** The same for an event that waits for its delivery by a trail. */
export function waitingFacts(event: {
  readonly timeMs: number;
  readonly eventRegion: string;
}): readonly unknown[] {
  return [event.timeMs, event.eventRegion];
}
