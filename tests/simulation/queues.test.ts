// Goal: whatever producers, consumers, redrives and crashes do together, nothing acknowledged is
// lost, nothing deleted returns, visibility is respected, a FIFO group comes in order and to one
// consumer at a time, and counts agree with the truth.
// Method: random acts at once on the service over the real store on a file, a clock moved by hand,
// crashes by reopening; every answer is checked against what the world knows, and at the end all is
// taken out. Some seeds in each run, thousands with SEALPOST_TEST_LONG=1; SEALPOST_TEST_SEED=n
// repeats one, with SEALPOST_TEST_SEEDS=m those from n on.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { dice } from "./random.ts";
import { Truth } from "./truth.ts";
import { Ground, nothingSeen, World } from "./world.ts";

const asked = process.env.SEALPOST_TEST_SEED;
const long = process.env.SEALPOST_TEST_LONG === "1";
const first = asked === undefined ? Date.now() % 1_000_000_000 : Number(asked);
const many = process.env.SEALPOST_TEST_SEEDS;
const seeds = many === undefined ? (asked !== undefined ? 1 : long ? 3000 : 20) : Number(many);
const steps = 60;
const seedsPerGround = 50;

// What a lost fsync does is shown elsewhere: here a disk in memory saves the time of it.
const disk = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const folder = mkdtempSync(join(disk, "sealpost-simulation-"));
let ground: Ground;
let grounds = 0;
const openGround = () => Ground.open(join(folder, `${++grounds}.db`));
before(async () => {
  ground = await openGround();
});
after(async () => {
  await ground.close();
  rmSync(folder, { recursive: true });
});

test(`${seeds} seeds from ${first}`, async () => {
  const seen = nothingSeen();
  for (let seed = first; seed < first + seeds; seed++) {
    if (seed > first && (seed - first) % seedsPerGround === 0) {
      await ground.close();
      ground = await openGround();
    }
    try {
      const world = new World(ground, dice(seed), `s${seed}`, seen);
      await world.create();
      for (let step = 0; step < steps; step++) await world.step();
      await world.end();
    } catch (error) {
      throw new Error(`SEALPOST_TEST_SEED=${seed} repeats it: ${String(error)}`, { cause: error });
    }
  }
  if (seeds < 20) return;
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 0, `${what} happened`);
});

// The twins: what the simulation would say of a store that breaks each rule.
const at = 1_000_000;
const untouched: ReadonlySet<string> = new Set();

function truthOf(...bodies: readonly string[]): Truth {
  const truth = new Truth(3);
  for (const [index, body] of bodies.entries()) {
    truth.sent({ body, group: "a", order: BigInt(index), sent: "yes", hiddenUntilMs: at });
  }
  return truth;
}

test("a deleted message that returns is found", () => {
  const truth = truthOf("m1");
  truth.require("m1").deleted = "yes";
  assert.throws(() => truth.checkReceive(["m1"], at, untouched), /was deleted and came back/);
});

test("a message before its time, twice, or never sent is found", () => {
  const truth = truthOf("m1");
  assert.throws(() => truth.checkReceive(["m1"], at - 1, untouched), /1 ms before its time/);
  assert.throws(() => truth.checkReceive(["m1", "m1"], at, untouched), /each message once/);
  assert.throws(() => truth.checkReceive(["m2"], at, untouched), /never sent/);
  truth.checkReceive(["m1"], at, untouched);
});

test("disorder in a group and a second holder are found", () => {
  const truth = truthOf("m1", "m2", "m3");
  assert.throws(() => truth.checkFifo(["m2", "m1"], at, untouched), /m1 came after m2/);
  assert.throws(() => truth.checkFifo(["m2"], at, untouched), /m2 came before m1/);
  Object.assign(truth.require("m1"), { received: true, hiddenUntilMs: at + 1 });
  assert.throws(() => truth.checkFifo(["m2"], at, untouched), /while m1 of its group was held/);
  Object.assign(truth.require("m1"), { hiddenUntilMs: at, receives: 3 });
  truth.checkFifo(["m2", "m3"], at, untouched);
  assert.equal(truth.require("m1").mustBeDead, true);
});
