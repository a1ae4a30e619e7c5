/**
 * How fast the embedded store is: durable inserts of 1 KiB bodies at 1, 8 and 64 in flight, and
 * claim + delete of ten, on a file in a new folder under the given one (default: the system's
 * temporary folder; a RAM disk there flatters). `node bench/store.ts [folder] [seconds per case]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommitAnswer, Store } from "../src/kernel/command.ts";
import { silentLog } from "../src/kernel/log.ts";
import type { Sealed, StoredDataKey } from "../src/kernel/sealed.ts";
import type { PutDataKey } from "../src/sealing/store.ts";
import type { ClaimMessages, DeleteMessages, InsertMessages } from "../src/services/sqs/store.ts";
import { openSqliteStore } from "../src/stores/sqlite/open.ts";

const queue = { accountId: "123456789012", region: "us-east-1", queueId: "5e".repeat(16) };
const dataKey: StoredDataKey = {
  id: "d7".repeat(16),
  accountId: queue.accountId,
  region: queue.region,
  sealingArn: "arn:aws:sqs:us-east-1:123456789012:bench",
  mode: "kms",
  keyArn: "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000",
  blob: new Uint8Array(200),
  createdMs: 0,
};
const sealed = { dataKeyId: dataKey.id, bytes: new Uint8Array(1100) } as unknown as Sealed;
const placeMac = new Uint8Array(32);

let count = 0;

function insert(nowMs: number): InsertMessages {
  count += 1;
  const message = {
    messageId: `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`,
    sealed,
    placeMac,
    attributes: "",
    systemAttributes: "",
    senderId: "AIDABENCHBENCHBENCHBE",
    sentMs: nowMs,
    visibleAtMs: nowMs,
    sizeBytes: 1024,
  };
  return { kind: "sqs.insert", queue, messages: [message] };
}

async function commit(store: Store, command: PutDataKey | InsertMessages): Promise<CommitAnswer> {
  const decidedUnder = [{ accountId: queue.accountId, version: 0 }];
  return store.commit({ decidedUnder, commands: [command] });
}

/** One claim of ten and the deletion of what it got, as two commits. Answers how many. */
async function consume(store: Store, nowMs: number): Promise<number> {
  count += 1;
  const claimId = count.toString(16).padStart(16, "0");
  const claim: ClaimMessages = {
    kind: "sqs.claim",
    queue,
    nowMs,
    count: 10,
    visibleAgainMs: nowMs + 30_000,
    retainedSinceMs: 0,
    claimId,
    inFlightMax: 120_000,
    receiveCountMax: undefined,
  };
  const answer = await store.commit({ decidedUnder: [], commands: [claim] });
  if (answer.status !== "done") throw new Error("a claim without decision is never stale");
  const [claimed] = answer.results as [{ messages: { sequence: number }[] }];
  const messages = claimed.messages.map(({ sequence }) => ({ sequence, claimId }));
  const remove: DeleteMessages = { kind: "sqs.delete", queue, messages };
  await store.commit({ decidedUnder: [], commands: [remove] });
  return messages.length;
}

/** Keeps `inFlight` acts going for some seconds; answers what they counted per second. */
async function rate(seconds: number, inFlight: number, act: () => Promise<number>) {
  const start = performance.now();
  const endMs = start + seconds * 1000;
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
  return Math.round((done / (performance.now() - start)) * 1000);
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "sealpost-bench-"));
const seconds = Number(process.argv[3] ?? 3);
try {
  const store = await openSqliteStore({ path: join(folder, "bench.db"), log: silentLog });
  const base = 1_700_000_000_000;
  const now = () => base + Math.floor(performance.now());
  await commit(store, { kind: "data-key.put", dataKey });
  for (const inFlight of [1, 8, 64]) {
    const perSecond = await rate(seconds, inFlight, async () => {
      await commit(store, insert(now()));
      return 1;
    });
    console.log(`insert 1 KiB, ${inFlight} in flight: ${perSecond} messages/s`);
  }
  for (const inFlight of [1, 8]) {
    const perSecond = await rate(seconds, inFlight, () => consume(store, now()));
    console.log(`claim 10 + delete 10, ${inFlight} in flight: ${perSecond} messages/s`);
  }
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}
