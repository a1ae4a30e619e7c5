// Goal: kill -9 at any moment loses no acknowledged message and brings none back that was deleted.
// Method: a child writes and reports what was acknowledged; it is killed after a random number of
// reports (seeded; SEALPOST_SEED replays), the file is opened again and compared with the reports.
// One file goes through all rounds. kill -9 cannot see a missing fsync: sync.test.ts does.
import { deepEqual, equal } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLog } from "../../src/kernel/log.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { claimFrom, commit, queueNamed } from "./contract/fixtures.ts";
import { newPath } from "./folder.ts";

const rounds = process.env.SEALPOST_TEST_LONG === "1" ? 150 : 10;
const seed = Number(process.env.SEALPOST_SEED ?? Date.now() % 1_000_000);
const child = fileURLToPath(new URL("./children/write.ts", import.meta.url));

/** What must be there, must not be there, and may be either. */
interface Expected {
  readonly inserted: Set<string>;
  readonly deleted: Set<string>;
  readonly doubtful: Set<string>;
}

/** mulberry32: a small generator, so that a seed names the moments of the kills. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function note(expected: Expected, line: string): void {
  const [what, id = ""] = line.split(" ");
  if (what === "+") expected.inserted.add(id);
  if (what === "?") expected.doubtful.add(id);
  if (what === "-") expected.deleted.add(id);
}

/** Runs the child, kills it when it has reported this often, and notes all that it reported. */
async function writeAndKill(expected: Expected, args: readonly string[], reports: number) {
  const running = spawn(process.execPath, [child, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(running, "exit");
  let seen = 0;
  for await (const line of createInterface({ input: running.stdout })) {
    note(expected, line);
    seen += 1;
    if (seen === reports) running.kill("SIGKILL");
  }
  const [, signal] = await exited;
  equal(signal, "SIGKILL");
}

/** Claims everything and puts it back; then checks the file itself. */
async function presentIn(path: string): Promise<string[]> {
  const store = await openSqliteStore({ path, log: silentLog });
  const queue = queueNamed("survivors");
  const all = { count: 1_000_000, visibleAgainMs: 20 };
  const [{ messages }] = await commit(store, claimFrom(queue, 10, "check", all));
  const back = messages.map(({ sequence }) => ({ sequence, claimId: "check", visibleAtMs: 1 }));
  await commit(store, { kind: "sqs.unclaim", queue, messages: back });
  await store.close();
  const database = new DatabaseSync(path);
  deepEqual(database.prepare("PRAGMA integrity_check").all().map(Object.values), [["ok"]]);
  deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
  database.close();
  return messages.map((message) => message.messageId);
}

function lossesAndGhosts(expected: Expected, present: readonly string[]): string[] {
  const there = new Set(present);
  const lost = [...expected.inserted].filter((id) => !there.has(id) && !expected.doubtful.has(id));
  const ghosts = present.filter((id) => expected.deleted.has(id));
  const twice = present.length === there.size ? [] : ["a message is there twice"];
  return [...lost.map((id) => `lost ${id}`), ...ghosts.map((id) => `back ${id}`), ...twice];
}

const nothingYet = (): Expected => {
  return { inserted: new Set(), deleted: new Set(), doubtful: new Set() };
};

test(`${rounds} rounds of kill -9, seed ${seed}`, async (context) => {
  const random = randomOf(seed);
  const path = newPath();
  const expected = nothingYet();
  for (let round = 0; round < rounds; round += 1) {
    const reports = 2 + Math.floor(random() * 400);
    await writeAndKill(expected, [path, String(round)], reports);
    const found = lossesAndGhosts(expected, await presentIn(path));
    deepEqual(found, [], `round ${round}, killed after ${reports} reports, seed ${seed}`);
  }
  context.diagnostic(`${expected.inserted.size} inserted, ${expected.deleted.size} deleted`);
  equal(expected.inserted.size > rounds * 10 && expected.deleted.size > rounds, true);
});

test("the twin: a child that acknowledges before the commit is caught", async () => {
  const path = newPath();
  const expected = nothingYet();
  await writeAndKill(expected, [path, "early", "early"], Number.POSITIVE_INFINITY);
  const found = lossesAndGhosts(expected, await presentIn(path));
  equal(found.length, 16);
});
