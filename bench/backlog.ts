/**
 * Whether a backlog slows the embedded store down: durable inserts of 1 KiB, and claim + delete of
 * ten, on an empty queue and on one with so many messages of three days ago; on one queue beside
 * 10,000 others, and on all of them in turn; the memory, and the time from opening the file to the
 * first message.
 *
 * `node bench/backlog.ts [messages] [seconds per case] [folder]`
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, CommitAnswer, Store } from "../src/kernel/command.ts";
import { silentLog } from "../src/kernel/log.ts";
import type {
  ClaimMessages,
  ClaimResult,
  CountMessages,
  DeleteMessages,
  ForgetFifo,
  InsertMessages,
  NewMessage,
  QueueIdentity,
} from "../src/services/sqs/store.ts";
import { openSqliteStore } from "../src/stores/sqlite/open.ts";
import { placeMac, putDataKey, scope, sealed } from "./store-load.ts";

/** The backlog is old, what is sent and received beside it is not. */
const backlogAgeMs = 3 * 86_400_000;
const messages = Number(process.argv[2] ?? 1_000_000);
const seconds = Number(process.argv[3] ?? 4);
const folder = mkdtempSync(join(process.argv[4] ?? tmpdir(), "sealpost-backlog-"));
const path = join(folder, "aa.db");
const base = 1_700_000_000_000;
const now = () => base + Math.floor(performance.now());

interface Lane {
  readonly title: string;
  readonly name: string;
  readonly fifo: boolean;
}

const lanes: readonly Lane[] = [
  { title: "standard", name: "aa", fifo: false },
  { title: "FIFO, 1000 groups", name: "ff", fifo: true },
];

let count = 0;

function queueNamed(name: string): QueueIdentity {
  return { ...scope, queueId: name.repeat(16) };
}

function insert(queue: QueueIdentity, fifo: boolean, size: number, ageMs = 0): InsertMessages {
  const nowMs = now() - ageMs;
  const all = Array.from({ length: size }, (): NewMessage => {
    count += 1;
    const digest = randomBytes(16);
    return {
      messageId: `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`,
      sealed,
      placeMac,
      attributes: "",
      systemAttributes: "",
      senderId: "AIDABENCHBENCHBENCHBE",
      sentMs: nowMs,
      visibleAtMs: nowMs,
      sizeBytes: 1024,
      ...(fifo && { groupId: `group-${count % 1000}`, deduplication: [digest] }),
    };
  });
  const command: InsertMessages = { kind: "sqs.insert", queue, messages: all };
  if (!fifo) return command;
  return { ...command, fifo: { historyId: queue.queueId, nowMs, rememberMs: 300_000 } };
}

async function commit(store: Store, command: Command): Promise<readonly unknown[]> {
  const answer: CommitAnswer = await store.commit({ decidedUnder: [], commands: [command] });
  if (answer.status !== "done") throw new Error("an act without a decision is never stale");
  return answer.results;
}

async function claim(store: Store, queue: QueueIdentity, fifo: boolean) {
  count += 1;
  const nowMs = now();
  const command: ClaimMessages = {
    kind: "sqs.claim",
    queue,
    nowMs,
    count: 10,
    visibleAgainMs: nowMs + 30_000,
    retainedSinceMs: 0,
    claimId: count.toString(16).padStart(16, "0"),
    inFlightMax: 120_000,
    receiveCountMax: 3,
    ...(fifo && { fifo: { attemptId: undefined, attemptMs: 300_000 } }),
  };
  const [result] = (await commit(store, command)) as [ClaimResult];
  return { claimId: command.claimId, sequences: result.messages.map((it) => it.sequence) };
}

/** One claim of ten and the deletion of what it got, as two commits. Answers how many. */
async function consume(store: Store, queue: QueueIdentity, fifo: boolean): Promise<number> {
  const { claimId, sequences } = await claim(store, queue, fifo);
  const claims = sequences.map((sequence) => ({ sequence, claimId }));
  const remove: DeleteMessages = { kind: "sqs.delete", queue, messages: claims };
  await commit(store, fifo ? { ...remove, fifoNowMs: now() } : remove);
  return sequences.length;
}

/** Keeps `inFlight` acts going for a second; answers what they counted per second. */
async function rate(inFlight: number, act: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const endMs = start + 1000;
  let done = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < endMs) {
        const more = await act();
        done += more;
      }
    }),
  );
  return (done / (performance.now() - start)) * 1000;
}

/** As if all that was sent so far had been sent more than five minutes ago. */
async function forgetSends(store: Store): Promise<void> {
  const forget: ForgetFifo = { kind: "sqs.forget-fifo", beforeMs: now(), rowsMax: 10_000 };
  for (let more = true; more; ) {
    const [result] = (await commit(store, forget)) as [{ readonly more: boolean }];
    more = result.more;
  }
}

async function fill(store: Store, queue: QueueIdentity, fifo: boolean, total: number) {
  for (let left = total; left > 0; ) {
    const batches = Array.from({ length: 8 }, () => insert(queue, fifo, 100, backlogAgeMs));
    await Promise.all(batches.map((batch) => commit(store, batch)));
    left -= 800;
  }
}

interface Rates {
  send: number;
  receive: number;
}

type Act = (store: Store) => Promise<number>;

/**
 * Rates of one act on several stores in turn, in slices of a second: what else the machine does
 * meanwhile hits all of them alike.
 */
async function inTurn(stores: readonly Store[], inFlight: number, act: Act): Promise<number[]> {
  const sums = stores.map(() => 0);
  for (let round = 0; round < seconds; round++) {
    for (const [index, store] of stores.entries()) {
      sums[index] = (sums[index] ?? 0) + (await rate(inFlight, () => act(store)));
    }
  }
  return sums.map((sum) => sum / seconds);
}

async function compare(empty: Store, deep: Store, { title, name, fifo }: Lane): Promise<void> {
  const queue = queueNamed(name);
  const send = await inTurn([empty, deep], 64, async (store) => {
    await commit(store, insert(queue, fifo, 1));
    return 1;
  });
  // The shallow queue is emptied, and fed ten at a time; the deep one stays as deep as it is.
  while ((await consume(empty, queue, fifo)) > 0);
  const receive = await inTurn([empty, deep], 8, async (store) => {
    await commit(store, insert(queue, fifo, 10));
    return consume(store, queue, fifo);
  });
  const start = performance.now();
  const retained = { nowMs: now(), retainedSinceMs: 0 };
  const counts: CountMessages = { kind: "sqs.counts", queue, ...retained };
  const { visible } = await deep.query(counts);
  const countMs = performance.now() - start;
  show(`${title}, empty`, { send: send[0] ?? 0, receive: receive[0] ?? 0 });
  show(
    `${title}, ${visible} deep`,
    { send: send[1] ?? 0, receive: receive[1] ?? 0 },
    { send: send[0] ?? 0, receive: receive[0] ?? 0 },
  );
  console.log(`counts in ${countMs.toFixed(1)} ms`);
}

function show(title: string, { send, receive }: Rates, empty?: Rates): void {
  const share = (value: number, of: number | undefined) =>
    of === undefined ? "" : ` (${(value / of).toFixed(2)} of empty)`;
  console.log(
    `${title}: send ${Math.round(send)}/s${share(send, empty?.send)}, ` +
      `receive ${Math.round(receive)}/s${share(receive, empty?.receive)}`,
  );
}

const showMemory = () => console.log(`RSS ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`);

async function reopen(): Promise<Store> {
  const start = performance.now();
  const store = await openSqliteStore({ path, log: silentLog });
  const openedMs = performance.now() - start;
  const { sequences } = await claim(store, queueNamed("aa"), false);
  const readyMs = performance.now() - start;
  console.log(
    `reopened in ${Math.round(openedMs)} ms, ${sequences.length} messages after ` +
      `${Math.round(readyMs)} ms; file ${Math.round(statSync(path).size / 2 ** 20)} MiB`,
  );
  return store;
}

async function manyQueues(store: Store): Promise<void> {
  const queues = Array.from({ length: 10_000 }, (_, n) => ({
    ...scope,
    queueId: n.toString(16).padStart(32, "0"),
  }));
  for (let at = 0; at < queues.length; at += 100) {
    const some = queues.slice(at, at + 100);
    await Promise.all(some.map((queue) => commit(store, insert(queue, false, 20))));
  }
  const pick = () => queues[Math.floor(Math.random() * queues.length)] ?? queueNamed("aa");
  const [send = 0] = await inTurn([store], 64, async () => {
    await commit(store, insert(pick(), false, 1));
    return 1;
  });
  const [receive = 0] = await inTurn([store], 8, async () => {
    const queue = pick();
    await commit(store, insert(queue, false, 10));
    return consume(store, queue, false);
  });
  show("10,000 queues in turn", { send, receive });
}

try {
  const open = async (name: string) => {
    const store = await openSqliteStore({ path: join(folder, name), log: silentLog });
    await commit(store, putDataKey);
    return store;
  };
  for (const lane of lanes) {
    const { name, fifo } = lane;
    const deep = await open(`${name}.db`);
    await fill(deep, queueNamed(name), fifo, messages);
    await forgetSends(deep);
    const empty = await open(`${name}-empty.db`);
    await compare(empty, deep, lane);
    await empty.close();
    showMemory();
    await deep.close();
  }
  const again = await reopen();
  await manyQueues(again);
  const alone = await open("alone.db");
  await compare(alone, again, { title: "standard beside 10,000 queues", name: "bb", fifo: false });
  await alone.close();
  showMemory();
  await again.close();
} finally {
  rmSync(folder, { recursive: true });
}
