// Goal: a send is remembered for as long as it should, whatever is sent, forgotten, rolled back and
// opened again, though where it lies is known to the memory only.
// Method: fast-check runs random acts on the table against a plain list; digests that differ in
// their last byte only fall onto the same place. SEALPOST_SEED replays.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openDatabase } from "../../src/stores/sqlite/database.ts";
import { createDeduplications } from "../../src/stores/sqlite/deduplications.ts";
import { createDigestPlaces } from "../../src/stores/sqlite/digest-places.ts";
import { messageNamed } from "./contract/fixtures.ts";

const seed = Number(process.env.SEALPOST_SEED ?? Date.now() % 1_000_000);
const rememberMs = 100;

function digestOf(place: number, last: number): Uint8Array {
  const digest = Buffer.alloc(16);
  digest.writeUInt32LE(place, 0);
  digest[15] = last;
  return digest;
}

/** Neighbours around the end of the smallest table, and two on one place. */
const digests = [
  digestOf(1022, 1),
  digestOf(1022, 2),
  digestOf(1023, 1),
  digestOf(2047, 1),
  digestOf(0, 1),
];

const step = fc.record({
  act: fc.constantFrom("send", "send", "send", "forget", "undo", "part", "open"),
  digest: fc.constantFrom(...digests),
  history: fc.constantFrom(1, 2),
  passMs: fc.integer({ min: -5, max: 60 }),
  ageMs: fc.constantFrom(0, 50, 150),
  rowsMax: fc.constantFrom(1, 2, 100),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Sent {
  readonly history: number;
  readonly digest: Uint8Array;
  readonly sequence: number;
  readonly sentMs: number;
}

class Run {
  readonly #database = openDatabase(":memory:");
  #table = createDeduplications(this.#database);
  #list: readonly Sent[] = [];
  #sequence = 1;
  #nowMs = 10_000;

  run(steps: readonly Step[]): void {
    for (const it of steps) {
      this.#nowMs += it.passMs;
      if (it.act === "open") this.#table = createDeduplications(this.#database);
      this.#transaction(it);
      this.#check();
    }
  }

  #transaction(it: Step): void {
    const before = this.#list;
    this.#database.exec("BEGIN");
    this.#table.begin();
    if (it.act === "part") {
      // One request of a group is undone, the one before it stays.
      this.#send(it);
      const kept = this.#list;
      this.#database.exec("SAVEPOINT request");
      this.#forget({ ...it, ageMs: 0 });
      this.#send({ ...it, history: it.history === 1 ? 2 : 1 });
      this.#database.exec("ROLLBACK TO request; RELEASE request; COMMIT");
      this.#table.reload();
      this.#list = kept;
      return;
    }
    if (it.act === "forget") this.#forget(it);
    else this.#send(it);
    if (it.act === "undo") {
      this.#forget({ ...it, ageMs: 0 });
      this.#database.exec("ROLLBACK");
      this.#table.reload();
      this.#list = before;
    } else {
      this.#database.exec("COMMIT");
    }
  }

  #send({ history, digest }: Step): void {
    const fifo = { historyId: "", nowMs: this.#nowMs, rememberMs };
    const sequence = this.#sequence++;
    const message = messageNamed(`m${sequence}`, "key-1", this.#nowMs, { deduplication: [digest] });
    const is = (it: Sent) => it.history === history && it.digest === digest;
    const first = this.#list.find((it) => is(it) && it.sentMs > this.#nowMs - rememberMs);
    const expected = first && { messageId: `m${first.sequence}`, sequence: first.sequence };
    deepEqual(this.#table.find(history, fifo, message), expected);
    if (first) return;
    this.#table.remember(history, fifo, message, sequence);
    const others = this.#list.filter((it) => !is(it));
    this.#list = [...others, { history, digest, sequence, sentMs: this.#nowMs }];
  }

  #forget({ ageMs, rowsMax }: Step): void {
    const beforeMs = this.#nowMs - ageMs;
    const kept = this.#list.findIndex(({ sentMs }) => sentMs >= beforeMs);
    const gone = this.#list.slice(0, kept < 0 ? undefined : kept).slice(0, rowsMax);
    const histories = gone.map(({ history }) => history);
    deepEqual(this.#table.forget(beforeMs, rowsMax), histories);
    this.#list = this.#list.slice(gone.length);
  }

  #check(): void {
    for (const history of [1, 2]) {
      const known = this.#list.some((it) => it.history === history);
      equal(this.#table.has(history), known);
      for (const digest of digests) {
        const message = messageNamed("any", "key-1", this.#nowMs, { deduplication: [digest] });
        const all = { historyId: "", nowMs: 0, rememberMs: 0 };
        const it = this.#list.find((sent) => sent.history === history && sent.digest === digest);
        equal(this.#table.find(history, all, message)?.sequence, it?.sequence);
      }
    }
  }
}

test(`what was sent lately is remembered (seed ${seed})`, () => {
  const property = fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
    new Run().run(steps);
  });
  fc.assert(property, { seed, numRuns: 60 });
});

test("the twin: a memory that is not told of a rollback misses what came back", () => {
  const database = openDatabase(":memory:");
  const table = createDeduplications(database);
  const fifo = { historyId: "", nowMs: 1000, rememberMs };
  const message = messageNamed("m1", "key-1", 1000, { deduplication: [digestOf(1, 1)] });
  table.remember(1, fifo, message, 1);
  database.exec("BEGIN");
  table.begin();
  table.forget(2000, 10);
  database.exec("ROLLBACK");
  equal(table.find(1, fifo, message), undefined);
  table.reload();
  deepEqual(table.find(1, fifo, message), { messageId: "m1", sequence: 1 });
});

test("thousands of places come and go", () => {
  const places = createDigestPlaces();
  const count = 20_000;
  // Ten neighbours on each place: long rows of taken slots.
  const nth = (n: number) => digestOf(Math.floor(n / 10), n % 10);
  for (let n = 1; n <= count; n++) places.add(nth(n), n);
  for (let n = 1; n <= count; n += 2) equal(places.remove(nth(n), n), true);
  for (let n = 1; n <= count; n++) {
    equal(places.of(nth(n)).includes(n), n % 2 === 0);
    equal(places.remove(nth(n), n), n % 2 === 0);
  }
  for (let n = 1; n <= count; n++) deepEqual(places.of(nth(n)), []);
});
