import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalContext } from "../../src/crypto/context.ts";
import { Refusal } from "../../src/kernel/errors.ts";

const text = fc.string({ unit: "binary", maxLength: 8 }).filter((value) => value.isWellFormed());
const contexts = fc.dictionary(text, text, { maxKeys: 5, noNullPrototype: true });

/** Order-free form of a context, to compare without the code under test. */
function sorted(context: Record<string, string>): string {
  return JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Goal: the written form is the specified one. Method: bytes by hand; "ｚ" (U+FF5A) stands before
// "😀" in UTF-8 and after it in UTF-16, which tells the two orders apart.
test("pairs in order of UTF-8 bytes, each text with its length", () => {
  const bytes = canonicalContext({ "😀": "2", ｚ: "1", a: "" });
  const expected = Buffer.concat([
    Buffer.from("\0\x01a\0\0\0\x03ｚ\0\x011"),
    Buffer.from("\0\x04😀\0\x012"),
  ]);
  assert.deepEqual(bytes, expected);
  assert.equal(canonicalContext({}).length, 0);
});

// Goal: the order in which pairs were written is no part of a context. Method: property.
test("order is irrelevant", () => {
  fc.assert(
    fc.property(contexts, (context) => {
      const reversed = Object.fromEntries(Object.entries(context).reverse());
      assert.deepEqual(canonicalContext(reversed), canonicalContext(context));
    }),
  );
});

// Goal: no two contexts share their bytes. Method: property over pairs of close contexts (few
// letters, so that a form without lengths would collide).
test("unambiguous", () => {
  const few = fc.dictionary(
    fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
    fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
    { maxKeys: 3, noNullPrototype: true },
  );
  let naiveCollisions = 0;
  const naive = (context: Record<string, string>) => Object.entries(context).sort().flat().join("");
  fc.assert(
    fc.property(few, few, (left, right) => {
      const same = sorted(left) === sorted(right);
      assert.equal(canonicalContext(left).equals(canonicalContext(right)), same);
      if (!same && naive(left) === naive(right)) naiveCollisions += 1;
    }),
    { numRuns: 3000, seed: 1 },
  );
  // Twin: joined without lengths, some of these very contexts are one.
  assert.ok(naiveCollisions > 0);
});

// Goal: keys that JavaScript treats in its own way are plain keys. Method: contexts from JSON.
test("__proto__ and numbers are keys like others", () => {
  const context = JSON.parse('{"__proto__":"x","2":"b","1":"a"}') as Record<string, string>;
  const text = canonicalContext(context).toString("latin1");
  assert.equal(text, "\0\x011\0\x01a\0\x012\0\x01b\0\x09__proto__\0\x01x");
});

// Goal: what UTF-8 or the length field would fold into another context is refused. Method: a lone
// surrogate against U+FFFD, to which Buffer.from folds it (the twin), and 65,536 bytes.
test("texts without a form of their own are refused", () => {
  const refused = (error: unknown) =>
    error instanceof Refusal && error.code === "ValidationException";
  assert.deepEqual(Buffer.from("\ud800"), Buffer.from("\ufffd"));
  assert.throws(() => canonicalContext({ "\ud800": "x" }), refused);
  assert.throws(() => canonicalContext({ x: "\udc00" }), refused);
  assert.throws(() => canonicalContext({ x: "y".repeat(65_536) }), refused);
  assert.equal(canonicalContext({ x: "y".repeat(65_535) }).length, 2 + 1 + 2 + 65_535);
});
