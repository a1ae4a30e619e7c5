// Goal: the compiled, indexed matcher means what the guide says. Method: random policies and
// messages against a slow reference (the seed is printed; FILTER_SEED replays it); recorded cases
// beside it; the same matcher with a broken index must be found out.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { createMatcher, type Filtered } from "../../src/services/sns/filter/matcher.ts";
import type { FilterScope } from "../../src/services/sns/filter/policy.ts";
import { readFilterPolicy } from "../../src/services/sns/filter/read.ts";
import { generator, seeded } from "./filter-random.ts";
import { type ReferenceMessage, referenceMatches } from "./filter-reference.ts";

const casesMin = 100_000;

interface Subject {
  readonly text: string;
  readonly scope: FilterScope;
}

function filtered(subjects: readonly Subject[]): Filtered<Subject>[] {
  return subjects.map((subject) => {
    const read = readFilterPolicy(subject.text, subject.scope);
    assert.ok("policy" in read, `${subject.text}: ${JSON.stringify(read)}`);
    return { subject, filter: { scope: subject.scope, policy: read.policy } };
  });
}

/** Compares many cases; answers how many, and how many of them matched. */
function compare(seed: number, expected: typeof referenceMatches) {
  const make = generator(seeded(seed));
  let cases = 0;
  let matched = 0;
  while (cases < casesMin) {
    const subjects: Subject[] = [];
    while (subjects.length < 40) {
      const scope: FilterScope = subjects.length % 2 === 0 ? "MessageBody" : "MessageAttributes";
      const text = JSON.stringify(make.policy(scope));
      if ("policy" in readFilterPolicy(text, scope)) subjects.push({ text, scope });
    }
    const matcher = createMatcher(filtered(subjects));
    for (let round = 0; round < 40; round += 1) {
      const message = make.message();
      const selected = new Set(matcher.select(message).selected);
      for (const subject of subjects) {
        const wanted = expected(subject.text, subject.scope, message);
        assert.equal(
          selected.has(subject),
          wanted,
          `seed ${seed}: ${subject.scope} ${subject.text} on ${JSON.stringify(message)}`,
        );
        cases += 1;
        if (wanted) matched += 1;
      }
    }
  }
  return { cases, matched };
}

test("the matcher agrees with the reference on 100,000 random cases", (t) => {
  const seed = Number(process.env.FILTER_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const { cases, matched } = compare(seed, referenceMatches);
  t.diagnostic(`${cases} cases, ${matched} matched`);
  assert.ok(cases >= casesMin);
  assert.ok(matched > cases / 20 && matched < cases / 2, "both answers are well represented");
});

test("a reference that errs is found out", () => {
  const wrong: typeof referenceMatches = (policy, scope, message) =>
    !policy.includes('"suffix"') && referenceMatches(policy, scope, message);
  assert.throws(() => compare(7, wrong), /seed 7/);
});

function matches(policy: object, scope: FilterScope, message: Partial<ReferenceMessage>): boolean {
  const [one] = filtered([{ text: JSON.stringify(policy), scope }]);
  assert.ok(one);
  const { selected } = createMatcher([one]).select({ attributes: undefined, body: "", ...message });
  return selected.length === 1;
}

const body = (policy: object, value: object) =>
  matches(policy, "MessageBody", { body: JSON.stringify(value) });

test("dots and nesting are the same, both ways", () => {
  const policy = { "object.nested.test": ["string.value"] };
  assert.ok(body(policy, { object: { nested: { test: "string.value" } } }));
  assert.ok(body(policy, { "object.nested": { test: "string.value" } }));
  assert.ok(body(policy, { object: { "nested.test": "string.value" } }));
  assert.ok(!body(policy, { object: { nested: { test: "string.notvalue" } } }));
});

test("lists stand for their elements, also of objects, also in lists", () => {
  const policy = {
    Records: {
      s3: { object: { key: [{ prefix: "auto-" }] } },
      eventName: [{ prefix: "ObjectCreated:" }],
    },
  };
  const record = (eventName: string, object: unknown) => ({ eventName, s3: { object } });
  const auto = { key: "auto-1.xml", size: 17 };
  assert.ok(body(policy, { Records: [record("ObjectCreated:Put", auto)] }));
  assert.ok(body(policy, { Records: [record("ObjectCreated:Put", [[auto]])] }));
  assert.ok(!body(policy, { Records: [record("ObjectRemoved:Delete", auto)] }));
  assert.ok(!body(policy, { Records: [record("ObjectCreated:Put", { key: "home-1" })] }));
  assert.ok(!body({ a: [{ exists: true }] }, { a: [] }));
  assert.ok(body({ a: [{ exists: false }] }, { a: [] }));
});

test("a text is no number, and a body that is no object passes no filter", () => {
  const number = { attributes: { n: { Type: "Number", Value: "5" } } };
  assert.ok(matches({ n: [5] }, "MessageAttributes", number));
  assert.ok(!matches({ n: ["5"] }, "MessageAttributes", number));
  assert.ok(matches({ n: [{ numeric: [">", 0, "<=", 5] }] }, "MessageAttributes", number));
  assert.ok(!matches({ n: [{ exists: false }] }, "MessageBody", { body: "[]" }));
  assert.ok(matches({ n: [{ exists: false }] }, "MessageAttributes", {}));
  assert.ok(!matches({ n: [null, { "anything-but": "x" }] }, "MessageAttributes", {}));
});

test("why a message went past is counted", () => {
  const subjects = filtered([
    { text: '{"a":["x"]}', scope: "MessageAttributes" },
    { text: '{"a":["x"]}', scope: "MessageBody" },
  ]);
  const matcher = createMatcher<unknown>([...subjects, { subject: "all", filter: undefined }]);
  const none = matcher.select({ attributes: undefined, body: "no object" });
  assert.deepEqual(none.selected, ["all"]);
  assert.deepEqual(none.filteredOut, {
    byAttributes: 1,
    byBody: 1,
    noAttributes: 1,
    invalidAttributes: 0,
    invalidBody: 1,
  });
  const both = matcher.select({
    attributes: { a: { Type: "String", Value: "x" } },
    body: '{"a":"x"}',
  });
  assert.equal(both.selected.length, 3);
  assert.ok(Object.values(both.filteredOut).every((count) => count === 0));
});
