// Goal: what goes to the store thread is what arrives there.
// Method: properties over plain data with byte arrays; refusals by example.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pack, pieceOf, unpack } from "../../src/stores/sqlite/packing.ts";

const plain = fc.letrec((tie) => ({
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

test("values survive the way, several in one message", () => {
  fc.assert(
    fc.property(fc.array(plain.value), (values) => {
      const there = unpack(pack(values.map(pieceOf)));
      deepEqual(there, plainObjects(values));
    }),
  );
});

test("only the bytes of a view travel, not the pool that it lies in", () => {
  const pool = Buffer.alloc(8192, 7);
  const packed = pack([pieceOf({ bytes: pool.subarray(10, 13) })]);
  equal(packed.bytes.buffer.byteLength, 3);
});

test("a number without a JSON form is refused, not turned into null", () => {
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) {
    throws(() => pieceOf({ nowMs: number }), /finite/);
  }
});

/** fast-check makes objects without prototype; -0 has no JSON form of its own. */
function plainObjects(value: unknown): unknown {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plainObjects);
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, plainObjects(it)]));
}
