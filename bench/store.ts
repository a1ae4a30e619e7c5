/**
 * How fast the embedded store is, and what each message costs the asking thread and the store's:
 * durable inserts of 1 KiB bodies, one by one and in batches of ten, and claim + delete of ten, on
 * a file in a new folder under the given one (default: the system's temporary folder; a RAM disk
 * there flatters). `node bench/store.ts [folder] [seconds per case]`
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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

async function show(title: string, inFlight: number, act: () => Promise<number>): Promise<void> {
  const before = threadNanoseconds();
  const { done, seconds } = await keepGoing(secondsPerCase * 1000, inFlight, act);
  const after = threadNanoseconds();
  const each = (thread: string) =>
    (((after.get(thread) ?? 0) - (before.get(thread) ?? 0)) / done / 1000).toFixed(1);
  console.log(
    `${title}, ${inFlight} in flight: ${Math.round(done / seconds)} messages/s; CPU of each: ` +
      `${each("node-MainThread")} µs asking, ${each("store")} µs in the store's thread`,
  );
}

/** CPU time of this process's threads by name, as the kernel's scheduler counts it. */
function threadNanoseconds(): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const id of readdirSync("/proc/self/task")) {
    const read = (file: string) => readFileSync(`/proc/self/task/${id}/${file}`, "utf8");
    const name = read("comm").trim();
    times.set(name, (times.get(name) ?? 0) + Number(read("schedstat").split(" ")[0]));
  }
  return times;
}

const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "sealpost-bench-"));
const secondsPerCase = Number(process.argv[3] ?? 3);
try {
  const store = await openSqliteStore({ path: join(folder, "bench.db"), log: silentLog });
  const base = 1_700_000_000_000;
  const now = () => base + Math.floor(performance.now());
  await commitOne(store, putDataKey);
  const insert = (size: number) => async () => {
    await commitOne(store, insertOf(size, now()));
    return size;
  };
  for (const inFlight of [1, 8, 64]) await show("insert 1 KiB", inFlight, insert(1));
  await show("insert 1 KiB by ten", 64, insert(10));
  for (const inFlight of [1, 8]) {
    await show("claim 10 + delete 10", inFlight, () => consume(store, now()));
  }
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}
