// Goal: of many rules at one path only those are asked that may hold. Method: file a thousand of
// each kind and count what a value leads to; ranges against a plain look at all of them, seeded.
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { createMatcher } from "../../src/services/sns/filter/matcher.ts";
import type { Leaf, Rule } from "../../src/services/sns/filter/policy.ts";
import { createRanges } from "../../src/services/sns/filter/ranges.ts";
import { RuleIndex } from "../../src/services/sns/filter/rule-index.ts";
import { seeded } from "./filter-random.ts";

const many = 1_000;

type Indexed = Exclude<Rule, { kind: "exists" }>;

/** So many rules of a kind, a value for none of them, and one for number 7. */
const kinds: readonly (readonly [rule: (n: number) => Indexed, none: Leaf, seventh: Leaf])[] = [
  [(n) => ({ kind: "equals", value: `v${n}` }), "v", "v7"],
  [(n) => ({ kind: "equals", value: n }), "7", 7],
  [(n) => ({ kind: "ignore-case", text: `V${n}` }), "v", "v7"],
  [(n) => ({ kind: "prefix", text: `v${n}-` }), "v", "v7-x"],
  [(n) => ({ kind: "suffix", text: `-${n}v` }), "v", "x-7v"],
  [(n) => ({ kind: "numeric", low: from(n), high: from(n + 0.5) }), -1, 7.5],
  [(n) => ({ kind: "numeric", low: undefined, high: from(n) }), many, many - 1],
  [(n) => ({ kind: "numeric", low: from(n), high: undefined }), -1, 0],
  [(n) => ({ kind: "cidr", address: `10.${n >> 8}.${n & 255}.0`, bits: 24 }), "10.9.0.1", ""],
  [(n) => ({ kind: "anything-but", values: ["v", n % 2] }), "v", ""],
  [(n) => ({ kind: "anything-but-prefix", text: n % 2 ? "v" : "va" }), "vab", ""],
];

function from(value: number) {
  return { value, inclusive: true };
}

function visited(index: RuleIndex<number>, ...leaves: Leaf[]): number[] {
  const found: number[] = [];
  index.visit(leaves, (item) => found.push(item));
  return found;
}

test("of a thousand rules that do not hold none is asked, and the one that holds is", () => {
  for (const [rule, none, seventh] of kinds) {
    const index = new RuleIndex<number>();
    for (let number = 0; number < many; number += 1) index.add(rule(number), number);
    deepEqual(visited(index, none), [], JSON.stringify(rule(7)));
    deepEqual(visited(index), [], "a name without a value");
    if (seventh !== "") equal(visited(index, none, seventh).length, 1, JSON.stringify(rule(7)));
  }
});

test("what is asked of an address in any block, and of any value, is asked of all", () => {
  const index = new RuleIndex<number>();
  index.add({ kind: "cidr", address: "10.0.0.0", bits: 24 }, 1);
  index.add({ kind: "cidr", address: "2001:db8::", bits: 64 }, 2);
  deepEqual(visited(index, "10.0.0.9"), [1, 2]);
  deepEqual(visited(index, "2001:db8::9"), [1, 2]);
  deepEqual(visited(index, "10.0.1.9", "10.0.0", "2001:db9::9"), []);
  index.add({ kind: "present" }, 3);
  deepEqual(visited(index), [3]);
});

test("ranges around a number are those that a look at all of them finds", (t) => {
  const seed = Number(process.env.SEALPOST_TEST_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const below = (count: number) => Math.floor(random() * count);
  let found = 0;
  for (let round = 0; round < 300; round += 1) {
    const ranges = Array.from({ length: below(40) }, (_, item) => {
      const low = below(5) === 0 ? -Infinity : below(30);
      const high = below(5) === 0 ? Infinity : Math.max(low, 0) + below(below(2) ? 3 : 30);
      return { low, high, item };
    });
    const around = createRanges(ranges);
    for (let value = -1; value < 62; value += 0.5) {
      const items: number[] = [];
      around(value, (item) => items.push(item));
      const expected = ranges.filter(({ low, high }) => low <= value && value <= high);
      found += expected.length;
      deepEqual(
        items.toSorted((one, other) => one - other),
        expected.map(({ item }) => item),
        `seed ${seed}`,
      );
    }
  }
  ok(found > 10_000);
});

test("who asks for nothing gets everything", () => {
  const filter = { scope: "MessageAttributes", policy: [] } as const;
  const matcher = createMatcher([{ subject: "all", filter }]);
  deepEqual(matcher.select({ attributes: undefined, body: "" }).selected, ["all"]);
});
