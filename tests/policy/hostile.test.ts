import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { hostileMs, hostileTexts } from "../../bench/policy.ts";
import { PolicyError } from "../../src/auth/policy/errors.ts";
import type { GlobToken } from "../../src/auth/policy/glob.ts";
import { compileGlob, matchesGlob } from "../../src/auth/policy/glob.ts";
import type { JsonNode } from "../../src/auth/policy/json.ts";
import { readJson } from "../../src/auth/policy/json.ts";
import { testSeed } from "./random.ts";
import { any, globMatches, star } from "./reference-conditions.ts";

const seed = testSeed();

// Goal: no text near 32 KB keeps the server busy. Method: texts made to be slow are checked,
// compiled and asked; the bound leaves room for a busy machine (bench/policy.ts has the real goal
// of 10 ms). The twin below shows that the same texts stop a matcher that goes back.
for (const [name, text] of hostileTexts()) {
  test(`hostile policy: ${name}`, () => {
    assert.ok(text.length > 20_000 && text.length <= 33_000, `${text.length} characters`);
    const best = Math.min(hostileMs(text), hostileMs(text), hostileMs(text));
    assert.ok(best < 100, `${best} ms`);
  });
}

/** The usual recursive matcher; gives up after a number of steps. */
function backtracks(pattern: string, text: string, stepsMax: number): boolean {
  let steps = 0;
  const match = (p: number, t: number): boolean => {
    if (++steps > stepsMax) return false;
    if (p === pattern.length) return t === text.length;
    if (pattern[p] !== "*") return pattern[p] === text[t] && match(p + 1, t + 1);
    for (let at = t; at <= text.length; at++) if (match(p + 1, at)) return true;
    return false;
  };
  match(0, 0);
  return steps > stepsMax;
}

test("twin: a matcher that goes back would not end", () => {
  const stars = "*a".repeat(20);
  assert.ok(backtracks(`${stars}b`, "a".repeat(100), 5_000_000));
  const tokens = [...`${stars}b`].map(tokenOf);
  assert.equal(matchesGlob(compileGlob(tokens), "a".repeat(100)), false);
});

function tokenOf(char: string): GlobToken {
  if (char === "*") return { kind: "any" };
  return char === "?" ? { kind: "one" } : { kind: "literal", text: char };
}

// Goal: wildcards mean what the table says. Method: short patterns and texts over two letters,
// padded so that both ways of searching are met; every answer against the textbook table.
test(`wildcards agree with the table (seed ${seed})`, () => {
  const pattern = fc.array(fc.constantFrom("a", "b", "*", "?", "ab", "a?a"), { maxLength: 12 });
  const text = fc.array(fc.constantFrom("a", "b", "ab", "aab"), { maxLength: 40 });
  const lead = fc.constantFrom("", "c".repeat(31), "c".repeat(64), "c".repeat(97));
  let hits = 0;
  fc.assert(
    fc.property(pattern, text, lead, (parts, words, padding) => {
      const chars = [...`*${parts.join("")}`];
      const subject = padding + words.join("");
      const atoms = chars.map((char) => (char === "*" ? star : char === "?" ? any : char));
      const found = matchesGlob(compileGlob(chars.map(tokenOf)), subject);
      if (found) hits++;
      assert.equal(found, globMatches(atoms, subject));
    }),
    { seed, numRuns: 3000 },
  );
  assert.ok(hits > 300 && hits < 2700, `${hits} of 3000 match`);
});

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case "object":
      return Object.fromEntries([...node.members].map(([name, value]) => [name, plain(value)]));
    case "array":
      return node.items.map(plain);
    case "number":
      return Number(node.text);
    case "boolean":
      return node.text === "true";
    case "null":
      return null;
    default:
      return node.text;
  }
}

/**
 * JSON.parse of a realm that has read nothing yet. The one of Node 26.10 takes the name `x"` for
 * `x\\` where the object before had that one in its place (it compares what is escaped as it is
 * written), so its word alone does not count against ours.
 */
function parsedElsewhere(text: string): string {
  return runInNewContext("JSON.stringify(JSON.parse(text))", { text });
}

// Goal: the JSON reader accepts and reads what JSON.parse does. Method: generated values, and
// generated damage to them; names given twice are the one difference, so they are left out.
test(`JSON agrees with JSON.parse (seed ${seed})`, () => {
  const damage = fc.tuple(
    fc.nat(),
    fc.constantFrom("", '"', "{", ",", "\\", "0", "\n", "e", "u00"),
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.option(damage), (valid, change) => {
      const at = change === null ? 0 : change[0] % (valid.length + 1);
      const text = change === null ? valid : valid.slice(0, at) + change[1] + valid.slice(at + 1);
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        refused++;
        assert.throws(() => readJson(text), PolicyError);
        return;
      }
      try {
        assert.deepEqual(plain(readJson(text)), expected);
      } catch (error) {
        if (error instanceof PolicyError && /given twice/.test(error.message)) return;
        if (error instanceof PolicyError) throw error;
        assert.equal(JSON.stringify(plain(readJson(text))), parsedElsewhere(text));
      }
    }),
    { seed, numRuns: 3000 },
  );
  assert.ok(refused > 100, `${refused} of 3000 refused`);
});

test("JSON positions", () => {
  const failing: readonly (readonly [string, RegExp])[] = [
    ['{"a":1,\n "a":2}', /^line 2, column 2: `a` is given twice$/],
    ['{"a" 1}', /^line 1, column 6: `:` is expected$/],
    ["[1 2]", /^line 1, column 4: `,` or `\]` is expected$/],
    ['{"a":"\u0001"}', /^line 1, column 7: a control character/],
    ['{"a":"\\x"}', /^line 1, column 7: unknown escape/],
    ['"a', /^line 1, column 1: a text has no end$/],
    ["{} x", /^line 1, column 4: text after the end/],
    [
      "{\u00a0}",
      /^line 1, column 2: a member name .* expected; there is U\+00A0, a no-break space$/,
    ],
    ["[1,\n\u00a0 2]", /^line 2, column 1: unexpected text; there is U\+00A0, a no-break space$/],
    ["{\u201ca\u201d:1}", /; there is U\+201C, a curly quote$/],
    ["\ufeff{}", /; there is U\+FEFF, a byte order mark$/],
    ["[1]\u{1f600}", /^line 1, column 4: text after .*; there is U\+1F600$/],
    ["[01]", /^line 1, column 3: /],
    [`${"[".repeat(17)}1`, /nested deeper than 16 levels/],
  ];
  for (const [text, message] of failing) assert.throws(() => readJson(text), { message });
  readJson(`${"[".repeat(16)}1${"]".repeat(16)}`);
});
