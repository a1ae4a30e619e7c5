// Goal: what goes to the store thread is what arrives there, and so do its answers.
// Method: properties over groups of generated values; names and buffers by example, at their limits.
import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Command } from "../../src/kernel/command.ts";
import type { Asked } from "../../src/stores/sqlite/group.ts";
import { asked } from "../../src/stores/sqlite/passing/asked.ts";
import { type Form, namesMax, text } from "../../src/stores/sqlite/passing/form.ts";
import { Incoming } from "../../src/stores/sqlite/passing/incoming.ts";
import { Outgoing } from "../../src/stores/sqlite/passing/outgoing.ts";
import { plain } from "../../src/stores/sqlite/passing/plain.ts";
import { answered } from "../../src/stores/sqlite/passing/told.ts";

const anyPlain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.uint8Array(),
    fc.array(tie("value")),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie("value")),
  ),
}));

test("plain values survive the way, several in one group", () => {
  fc.assert(
    fc.property(fc.array(anyPlain.value), (values) => {
      deepEqual(carried(plain, values), plainObjects(values));
    }),
  );
});

const anyText = fc.string({ unit: "binary", maxLength: 200 });
const name = fc.constantFrom("", "eu-west-1", "123456789012", "Zürich");
const bytes = fc.uint8Array({ maxLength: 80 });
const number = fc.oneof(fc.nat(), fc.maxSafeInteger());
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const queue = fc.record({ accountId: name, region: name, queueId: name });

const message = fc.record({
  messageId: anyText,
  sealed: fc.record({ dataKeyId: name, bytes }),
  placeMac: bytes,
  attributes: anyText,
  systemAttributes: anyText,
  senderId: name,
  sentMs: number,
  visibleAtMs: number,
  sizeBytes: number,
  groupId: maybe(anyText),
  deduplication: maybe(fc.array(bytes)),
});

const claim = fc.record({
  kind: fc.constant("sqs.claim"),
  queue,
  nowMs: number,
  count: number,
  visibleAgainMs: number,
  retainedSinceMs: number,
  claimId: anyText,
  inFlightMax: number,
  receiveCountMax: maybe(number),
  fifo: maybe(fc.record({ attemptId: maybe(anyText), attemptMs: number })),
});

const event = fc.record({
  accountId: name,
  region: name,
  timeMs: number,
  // Parts at even places are names.
  record: fc.array(fc.oneof(name, anyText), { maxLength: 5 }),
  history: maybe(
    fc.record({
      eventId: anyText,
      eventName: name,
      eventSource: name,
      username: name,
      accessKeyId: name,
      readOnly: fc.boolean(),
      resources: fc.array(fc.record({ type: name, name })),
    }),
  ),
  trails: fc.array(fc.record({ name, region: name })),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant("sqs.insert"),
    queue,
    messages: fc.array(message, { maxLength: 3 }),
    fifo: maybe(fc.record({ historyId: name, nowMs: number, rememberMs: number })),
  }),
  claim,
  fc.record({
    kind: fc.constant("sqs.delete"),
    queue,
    messages: fc.array(fc.record({ sequence: number, claimId: anyText })),
    fifoNowMs: maybe(number),
  }),
  fc.record({ kind: fc.constant("audit.append"), events: fc.array(event, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant("sqs.discard"), queue, bytes }),
);

const asking: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({
    kind: fc.constant("commit" as const),
    request: fc.record({
      decidedUnder: fc.array(fc.record({ accountId: name, version: number }), { maxLength: 2 }),
      commands: fc.array(command, { maxLength: 3 }),
    }),
  }),
  fc.record({ kind: fc.constant("query" as const), query: fc.record({ kind: anyText, queue }) }),
);

test("what is asked arrives, whether it has a form of its own or not", () => {
  const ends = connected();
  fc.assert(
    fc.property(fc.array(asking, { maxLength: 5 }), (values) => {
      deepEqual(carried(asked, values, ends), plainObjects(values));
    }),
  );
});

const claimed = fc.record({
  sequence: number,
  messageId: anyText,
  dataKeyId: name,
  bytes,
  placeMac: bytes,
  attributes: anyText,
  systemAttributes: anyText,
  senderId: name,
  sentMs: number,
  firstReceivedMs: number,
  receiveCount: number,
  visibleAtMs: number,
  deadLetterSourceArn: anyText,
  groupId: anyText,
});
const dataKey = fc.record({
  id: name,
  accountId: name,
  region: name,
  sealingArn: name,
  mode: fc.constantFrom("kms", "owned", "installation"),
  keyArn: name,
  blob: bytes,
  createdMs: number,
});
/** Kinds of commands, each with what it may answer. */
const result = fc.oneof(
  fc.tuple(fc.constant("sqs.insert"), fc.constant(undefined)),
  fc.tuple(
    fc.constant("sqs.insert"),
    fc.array(fc.record({ messageId: anyText, sequence: number, duplicate: fc.boolean() })),
  ),
  fc.tuple(
    fc.constant("sqs.claim"),
    fc.record({
      repeatedClaimId: maybe(anyText),
      messages: fc.array(claimed, { maxLength: 2 }),
      exhausted: fc.array(claimed, { maxLength: 2 }),
      dataKeys: fc.array(dataKey, { maxLength: 2 }),
      overLimit: fc.boolean(),
    }),
  ),
  fc.tuple(
    fc.constant("sqs.delete"),
    fc.array(fc.constantFrom("deleted", "absent", "superseded", "lapsed")),
  ),
  fc.tuple(fc.constant("audit.append"), fc.constant(undefined)),
  fc.tuple(fc.constant("sqs.sweep"), anyPlain.value),
);

test("answers come back, of each kind of command", () => {
  const { to, from } = connected();
  const versions = fc.array(fc.record({ accountId: name, version: number }), { maxLength: 1 });
  fc.assert(
    fc.property(fc.array(result, { maxLength: 4 }), versions, (pairs, raised) => {
      const commands = pairs.map(([kind]) => ({ kind }));
      const results = pairs.map(([, answer]) => answer);
      const value = { status: "done", results, versions: raised };
      const request = { decidedUnder: [], commands };
      to.add(answered, { asked: { kind: "commit", request }, told: { kind: "value", value } });
      from.open(to.take());
      deepEqual(from.next(answered), { kind: "value", value: plainObjects(value) });
    }),
  );
});

test("faults, bugs, stale decisions and answers to questions come back", () => {
  const request = { decidedUnder: [], commands: [{ kind: "sqs.insert" }] };
  const stale = { status: "stale", versions: [{ accountId: "1", version: 2 }] };
  const all = [
    { kind: "fault", fault: "disk-full", message: "full" },
    { kind: "bug", message: "wrong", stack: "at" },
    { kind: "value", value: stale },
  ] as const;
  for (const told of all) {
    const { to, from } = connected();
    to.add(answered, { asked: { kind: "commit", request }, told });
    to.add(answered, { asked: { kind: "query", query: { kind: "record.get" } }, told });
    from.open(to.take());
    deepEqual([from.next(answered), from.next(answered)], [told, told]);
  }
});

test("names are the same at both ends after more than both remember", () => {
  const ends = connected();
  const many = Array.from({ length: namesMax * 2 + 100 }, (_, index) => `name-${index % 9000}`);
  deepEqual(carried(names, many, ends), many);
  deepEqual(carried(names, many.slice(0, 9000), ends), many.slice(0, 9000));
});

test("an entry that could not be written leaves nothing, and names stay right", () => {
  const ends = connected();
  const { to } = ends;
  const failing: Form<string> = {
    ...names,
    write(there, value) {
      there.name(value);
      there.number(Number.NaN);
    },
  };
  to.add(names, "before");
  throws(() => to.add(failing, "lost"), /finite/);
  deepEqual(carried(names, ["before", "lost", "after"], ends), [
    "before",
    "before",
    "lost",
    "after",
  ]);
  deepEqual(carried(names, ["after", "lost"], ends), ["after", "lost"]);
});

test("a group grows beyond its first buffer, and a buffer that came back is used again", () => {
  const ends = connected();
  const long = ["x".repeat(100_000), "ü".repeat(100_000), "y".repeat(63), "ü".repeat(63)];
  deepEqual(carried(text, long, ends), long);
  const back = new ArrayBuffer(64 * 1024);
  new Uint8Array(back).fill(255);
  ends.to.reuse(back);
  notEqual(ends.to.take(), back);
  deepEqual(carried(text, ["a", ""], ends), ["a", ""]);
  equal(ends.to.take().byteLength, 64 * 1024);
});

test("a number without a JSON form is refused, not turned into null", () => {
  for (const nowMs of [Number.NaN, Number.POSITIVE_INFINITY]) {
    throws(() => connected().to.add(plain, { nowMs }), /finite/);
  }
});

const names: Form<string> = { write: (to, value) => to.name(value), read: (from) => from.name() };

function connected() {
  return { to: new Outgoing(), from: new Incoming() };
}

function carried<T>(form: Form<T>, values: readonly T[], { to, from } = connected()): T[] {
  for (const value of values) to.add(form, value);
  from.open(to.take());
  const there: T[] = [];
  while (from.count > 0) there.push(from.next(form));
  return there;
}

/** fast-check makes objects without prototype; -0 has no JSON form of its own. */
function plainObjects(value: unknown): unknown {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plainObjects);
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, plainObjects(it)]));
}
