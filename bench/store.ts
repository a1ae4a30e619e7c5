/**
 * How fast the embedded store is: durable inserts of 1 KiB bodies at 1, 8 and 64 in flight, and
 * claim + delete of ten, on a file in a new folder under the given one (default: the system's
 * temporary folder; a RAM disk there flatters). `node bench/store.ts [folder] [seconds per case]`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../src/kernel/command.ts";
import { silentLog } from "../src/kernel/log.ts";
import type { ClaimMessages, DeleteMessages } from "../src/services/sqs/store.ts";
import { openSqliteStore } from "../src/stores/sqlite/open.ts";
import { commitOne, insertOf, keepGoing, nextNumber, putDataKey, queue } from "./store-load.ts";

/** One claim of ten and the deletion of what it got, as two commits. Answers how many. */
async function consume(store: Store, nowMs: number): Promise<number> {
  const claimId = nextNumber().toString(16).padStart(16, "0");
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

async function rate(inFlight: number, act: () => Promise<number>): Promise<number> {
  const { done, seconds } = await keepGoing(secondsPerCase * 1000, inFlight, act);
  return Math.round(done / seconds);
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "sealpost-bench-"));
const secondsPerCase = Number(process.argv[3] ?? 3);
try {
  const store = await openSqliteStore({ path: join(folder, "bench.db"), log: silentLog });
  const base = 1_700_000_000_000;
  const now = () => base + Math.floor(performance.now());
  await commitOne(store, putDataKey);
  for (const inFlight of [1, 8, 64]) {
    const perSecond = await rate(inFlight, async () => {
      await commitOne(store, insertOf(1, now()));
      return 1;
    });
    console.log(`insert 1 KiB, ${inFlight} in flight: ${perSecond} messages/s`);
  }
  for (const inFlight of [1, 8]) {
    const perSecond = await rate(inFlight, () => consume(store, now()));
    console.log(`claim 10 + delete 10, ${inFlight} in flight: ${perSecond} messages/s`);
  }
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}
