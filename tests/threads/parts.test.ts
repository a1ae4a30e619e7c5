// Goal: what connects the threads of a process does its work, and is what does it.
// Method: two of each part in this thread, over real ports and a real store thread; each test has a
// twin without the connection.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { arrivalsBetween, waitingMemory } from "../../src/assembly/arrivals.ts";
import {
  borrowDataKeys,
  forgetThroughFirst,
  forgetWithThreads,
  lendDataKeys,
} from "../../src/assembly/threads/data-keys.ts";
import {
  serveTurns,
  topicTurn,
  topicTurnsBy,
  turnsElsewhere,
} from "../../src/assembly/threads/turns.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import type { Call } from "../../src/kernel/call.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import type { SealingPlace } from "../../src/kernel/sealer.ts";
import { versionMemory, versionReader } from "../../src/kernel/version-log.ts";
import type { DataKeySource } from "../../src/sealing/data-key-sources.ts";
import { createSealer } from "../../src/sealing/sealer.ts";
import { createTopicTurns } from "../../src/services/sns/fifo-publishing.ts";
import { RecordCache } from "../../src/state/record-cache.ts";
import { openSqliteStore, sqliteStoreOn } from "../../src/stores/sqlite/open.ts";
import { type Line, openLine } from "../../src/threads/line.ts";
import { threadPeers } from "../../src/threads/peers.ts";

/** Both ends of a line: of the first thread, and of a further one. */
function lineBetween(t: TestContext): readonly [Line, Line] {
  const { port1, port2 } = new MessageChannel();
  const ends = [openLine(port1), openLine(port2)] as const;
  t.after(() => ends[0].close());
  return ends;
}

test("what was told is heard in order, before what it leads to, also by who listens late", async (t) => {
  const [first, further] = lineBetween(t);
  const heard: unknown[] = [];
  for (const n of [1, 2, 3]) further.tell("number", n);
  first.catchUp();
  first.on("number", (n) => heard.push(n));
  deepEqual(heard, [1, 2, 3]);
  further.tell("number", 4);
  deepEqual(heard, [1, 2, 3], "the twin: not heard yet");
  first.catchUp();
  deepEqual(heard, [1, 2, 3, 4]);
});

test("a fault stays one on its way; whoever waits for a thread that goes is told", async (t) => {
  const [first, further] = lineBetween(t);
  first.on("fault", () => {
    throw new Fault("disk-full", "no room");
  });
  await rejects(further.ask("fault"), { name: "Fault", kind: "disk-full", message: "no room" });
  const waiting = further.ask("nobody listens");
  first.close();
  await rejects(waiting, { name: "Fault", kind: "thread-gone" });
});

const accountId = "123456789012";
const key = { accountId, region: "", kind: "test", id: "a" };
const rows = { make: () => Buffer.alloc(32), verify: () => true };

async function twoCaches(t: TestContext, connected: boolean) {
  const versions = versionMemory();
  const store = await openSqliteStore({ path: ":memory:", log: silentLog, versions });
  const further = sqliteStoreOn(store.portFor(1), silentLog);
  t.after(async () => {
    await further.close();
    await store.close();
  });
  const [one, two] = lineBetween(t);
  const cacheOn = (number: number, line: Line) => {
    const changes = versionReader(versions, number);
    const peers = connected ? threadPeers({ lines: [line], changes }) : undefined;
    const own = number === 0 ? store : further;
    return new RecordCache({ store: own, rows, entriesMax: 100, peers });
  };
  return [cacheOn(0, one), cacheOn(1, two)] as const;
}

for (const connected of [true, false]) {
  const what = connected ? "is read by the other with the answer" : "the twin: is missed";
  test(`a change on one thread ${what}`, async (t) => {
    const [one, two] = await twoCaches(t, connected);
    const put = async (cache: RecordCache, value: object) => {
      const view = cache.view();
      await view.get(key);
      await cache.commit(view, [{ kind: "record.put", key, value }]);
    };
    await put(one, { n: 1 });
    deepEqual(await two.view().get(key), { n: 1 });
    await put(one, { n: 2 });
    deepEqual(await two.view().get(key), { n: connected ? 2 : 1 });
  });
}

const place: SealingPlace = {
  service: "sqs",
  arn: "arn:aws:sqs:us-east-1:123456789012:q",
  accountId,
  region: "us-east-1",
  encryption: { mode: "kms", keyId: "key", reusePeriodMs: 300_000, requireDecrypt: false },
};

function callAt(now: number): Call {
  const caller = { kind: "user", accountId, userId: "AIDA", accessKeyId: "AKIA" };
  return { now, caller, transport: {} } as unknown as Call;
}

/** Two sealers; their KMS counts what it is asked for, and fails on demand. */
function twoSealers(t: TestContext, connected: boolean) {
  const [one, two] = lineBetween(t);
  const asked = { count: 0, failing: undefined as Error | undefined };
  const source: DataKeySource = {
    async generate() {
      asked.count += 1;
      const number = asked.count;
      await new Promise((resolve) => setImmediate(resolve));
      if (asked.failing) throw asked.failing;
      return { plaintext: Buffer.alloc(32, number), blob: Buffer.from("blob"), keyArn: "key" };
    },
    open: async () => Buffer.alloc(32),
  };
  const deps = {
    random: systemRandom,
    sources: { kms: source, owned: source, installation: source },
  };
  const first = forgetWithThreads(createSealer(deps), connected ? [one] : []);
  lendDataKeys([one], first);
  const own = createSealer({ ...deps, borrow: connected ? borrowDataKeys(two) : undefined });
  const further = connected ? forgetThroughFirst(own, two) : own;
  return { first, further, asked };
}

for (const connected of [true, false]) {
  const what = connected ? "once for both threads" : "the twin: by each thread";
  test(`a data key is asked for ${what}`, async (t) => {
    const { first, further, asked } = twoSealers(t, connected);
    const seal = (now: number) =>
      Promise.all(
        [further, first, further, first].map((sealer) =>
          sealer.seal(callAt(now), place, [Buffer.from("m")]),
        ),
      );
    const keysOf = (sealed: Awaited<ReturnType<typeof seal>>) =>
      new Set(sealed.flatMap((each) => each.sealed.map(({ dataKeyId }) => dataKeyId))).size;
    equal(keysOf(await seal(0)), connected ? 1 : 2);
    await seal(299_999);
    equal(asked.count, connected ? 1 : 2);
    equal(keysOf(await seal(300_000)), connected ? 1 : 2);
    equal(asked.count, connected ? 2 : 4);
    await further.forget("key");
    await seal(300_001);
    // The twin's first thread has heard nothing, and goes on with a key that is gone.
    equal(asked.count, connected ? 3 : 5);
  });
}

test("who may not have a data key is refused on both threads, with code and reasons", async (t) => {
  const { first, further, asked } = twoSealers(t, true);
  asked.failing = new Refusal("AccessDeniedException", "not you");
  const seal = (sealer: typeof first) => sealer.seal(callAt(0), place, [Buffer.from("m")]);
  const results = await Promise.allSettled([seal(further), seal(first)]);
  for (const result of results) {
    deepEqual(result.status === "rejected" && result.reason, asked.failing);
  }
  equal(asked.count, 1, "they waited for the same answer");
});

for (const connected of [true, false]) {
  const what = connected ? "come one after another" : "the twin: meet";
  test(`publications to a FIFO topic on two threads ${what}`, async (t) => {
    const [one, two] = lineBetween(t);
    const turns = createTopicTurns();
    serveTurns(one, "fifo-turn", topicTurn(turns));
    const elsewhere = connected
      ? topicTurnsBy(turnsElsewhere(two, "fifo-turn"))
      : createTopicTurns();
    let inside = 0;
    let most = 0;
    const act = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    const all = [1, 2, 3].flatMap(() => [turns.run("t", act), elsewhere.run("t", act)]);
    await Promise.all(all);
    equal(most, connected ? 1 : 2);
  });
}

test("arrivals are told to those who wait, from the moment that one takes part", (t) => {
  const memory = waitingMemory();
  const told: string[] = [];
  const [one] = lineBetween(t);
  const peers = {
    ...threadPeers({ lines: [one], changes: () => true }),
    tell: (topic: string, text: string) => void told.push(`${topic} ${text}`),
  };
  const here = arrivalsBetween(peers, memory);
  const there = arrivalsBetween(peers, memory);
  const leaveHere = here.joined("q");
  here.arrived("q", 1);
  deepEqual(told, [], "who waits here alone needs no word");
  const leave = there.joined("q");
  here.arrived("q", 2);
  leave();
  here.arrived("q", 3);
  leaveHere();
  deepEqual(told, ["sqs.arrived q 2"]);
});
