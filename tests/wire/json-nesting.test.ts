import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nestsDeeper } from "../../src/wire/json-nesting.ts";
import { testRuns } from "../harness/runs.ts";

// Goal: the depth of a document is told right, whatever its texts hold, valid or not. Method:
// thousands of documents put together from what could mislead are compared with a reading that
// takes one character after the other and jumps over nothing; valid ones also with what JSON.parse
// makes of them.

/** Reads like a state machine: slow and plain. */
function deepest(text: string): number {
  let [depth, most, inText, escaped] = [0, 0, false, false];
  for (const character of text) {
    if (escaped) escaped = false;
    else if (inText && character === "\\") escaped = true;
    else if (character === '"') inText = !inText;
    else if (!inText && "[{".includes(character)) most = Math.max(most, ++depth);
    else if (!inText && "]}".includes(character)) depth -= 1;
  }
  return most;
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** Where the answer changes from yes to no. */
function told(text: string): number {
  const document = Buffer.from(text);
  let depth = 0;
  while (nestsDeeper(document, depth)) depth += 1;
  return depth;
}

const plain = fc.oneof(
  fc.nat({ max: 100 }).map((length) => "x".repeat(length)),
  fc.constantFrom("é", "€", "\u{1f4ee}", "line\n"),
);
const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('"', '\\"', "\\", "\\\\", "\\\\\\") },
  { weight: 3, arbitrary: fc.constantFrom("[", "]", "{", "}", ",", ":") },
  { weight: 1, arbitrary: plain },
);

test("any sequence of pieces is read as a plain reader reads it", () => {
  const documents = fc.array(pieces, { maxLength: 200 }).map((parts) => parts.join(""));
  const property = fc.property(documents, (text) => {
    assert.equal(told(text), deepest(text));
  });
  fc.assert(property, { numRuns: testRuns(3_000) });
});

test("JSON in JSON in JSON is as deep as its outermost document", () => {
  const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(""));
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      texts,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(texts, tie("value"), { maxKeys: 3 }),
      tie("value").map((value) => JSON.stringify(value)),
    ),
  })).value;
  const property = fc.property(values, (value) => {
    const text = JSON.stringify([value, value]);
    assert.equal(told(text), depthOf([value, value]));
    assert.equal(told(text), deepest(text));
  });
  fc.assert(property, { numRuns: testRuns(1_000) });
});

test("long stretches with few and with many escaped quotes, cut anywhere", () => {
  const stretches = fc.tuple(fc.nat({ max: 150 }), fc.nat({ max: 40 }), pieces);
  const documents = fc
    .tuple(fc.array(stretches, { maxLength: 12 }), fc.nat())
    .map(([parts, cut]) => {
      const inner = parts.map(([gap, times, piece]) => `${piece}${"[".repeat(gap)}`.repeat(times));
      const text = `{"a":${JSON.stringify(inner.join(""))},"b":[[1]]}`;
      return text.slice(0, cut % (2 * text.length));
    });
  const property = fc.property(documents, (text) => {
    assert.equal(told(text), deepest(text));
  });
  fc.assert(property, { numRuns: testRuns(300) });
});
