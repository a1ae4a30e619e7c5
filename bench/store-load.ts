import { placeMacBytes } from "../src/crypto/rows.ts";
import type { CommitAnswer, Store } from "../src/kernel/command.ts";
import type { Sealed, StoredDataKey } from "../src/kernel/sealed.ts";
import type { PutDataKey } from "../src/sealing/store.ts";
import type { InsertMessages } from "../src/services/sqs/store.ts";

/** What a store is loaded with where nothing else of the server takes part. */

export const scope = { accountId: "123456789012", region: "us-east-1" };
export const queue = { ...scope, queueId: "5e".repeat(16) };
const dataKey: StoredDataKey = {
  ...scope,
  id: "d7".repeat(16),
  sealingArn: "arn:aws:sqs:us-east-1:123456789012:bench",
  mode: "kms",
  keyArn: "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000",
  blob: new Uint8Array(200),
  createdMs: 0,
};
// Stores see sealed bytes only; here they are any bytes of that length.
export const sealed = { dataKeyId: dataKey.id, bytes: new Uint8Array(1100) } as unknown as Sealed;
export const placeMac = new Uint8Array(placeMacBytes);
export const putDataKey: PutDataKey = { kind: "data-key.put", dataKey };

let count = 0;

/** A number that was not there yet. */
export function nextNumber(): number {
  count += 1;
  return count;
}

/** So many messages of 1 KiB, as one send or one batch makes them. */
export function insertOf(messages: number, nowMs: number): InsertMessages {
  const all = Array.from({ length: messages }, () => ({
    messageId: `00000000-0000-4000-8000-${String(nextNumber()).padStart(12, "0")}`,
    sealed,
    placeMac,
    attributes: "",
    systemAttributes: "",
    senderId: "AIDABENCHBENCHBENCHBE",
    sentMs: nowMs,
    visibleAtMs: nowMs,
    sizeBytes: 1024,
  }));
  return { kind: "sqs.insert", queue, messages: all };
}

export async function commitOne(
  store: Store,
  command: PutDataKey | InsertMessages,
): Promise<CommitAnswer> {
  const decidedUnder = [{ accountId: queue.accountId, version: 0 }];
  return store.commit({ decidedUnder, commands: [command] });
}

/** Keeps `inFlight` acts going; answers what they counted, until one counts nothing. */
export async function keepGoing(
  milliseconds: number,
  inFlight: number,
  act: () => Promise<number>,
): Promise<{ done: number; seconds: number }> {
  const start = performance.now();
  const endMs = start + milliseconds;
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < endMs) {
        const got = await act();
        if (got === 0) break;
        done += got;
      }
    }),
  );
  return { done, seconds: (performance.now() - start) / 1000 };
}
