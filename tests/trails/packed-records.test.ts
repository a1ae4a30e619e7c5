// Goal: what is packed comes out byte for byte, and nothing else does. Method: properties over
// generated records; rows of an older version, damaged ones and ones that lie, by example.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecordPacker, textBytesOf, textOf } from "../../src/services/cloudtrail/packed-records.ts";
import type { RecordParts } from "../../src/services/cloudtrail/store.ts";

function packed(records: readonly RecordParts[]): Uint8Array {
  const packer = new RecordPacker();
  for (const record of records) packer.add(record, Buffer.byteLength(record.join("")));
  return packer.packed();
}

const opened = (bytes: Uint8Array) => {
  const text = textOf(bytes);
  return text && Buffer.from(text).toString();
};

/** Not of lone halves of a character, which JSON text of a record never holds unescaped. */
const text = fc.string({ unit: "grapheme", maxLength: 20 });
/** A record alone is kept as its text, which JSON of a record tells from a list. */
const start = fc.constantFrom("{", '{"eventVersion":');
const shared = fc.constantFrom("", '{"a":"', "Zürich ✓", '","b":[1]}');
const record = fc
  .tuple(start, fc.array(fc.oneof(shared, text), { maxLength: 6 }))
  .map(([first, others]): RecordParts => [first, ...others]);

test("records come out as they are, with commas between", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (records) => {
      const bytes = packed(records);
      const joined = records.map((parts) => parts.join("")).join(",");
      equal(opened(bytes), joined);
      equal(textBytesOf(bytes), Buffer.byteLength(joined));
    }),
  );
});

test("what records have in common is there once", () => {
  const common = "c".repeat(1000);
  const records = Array.from({ length: 50 }, (_, index) => [common, String(index), common]);
  const bytes = packed(records);
  ok(bytes.length < 2_000, `${bytes.length} bytes`);
  ok(textBytesOf(bytes) > 100_000);
});

test("rows of before are their text", () => {
  const row = Buffer.from('{"eventID":"1"},{"eventID":"2"}');
  equal(opened(row), row.toString());
  equal(textBytesOf(row), row.length);
});

test("what nobody packed is not opened", () => {
  const of = (value: unknown) => opened(Buffer.from(JSON.stringify(value)));
  equal(of([3, ["ab"], [[0, "c"]]]), "abc");
  // Twins of it: another size, a place or a part that is none, records or shared texts that are not.
  for (const bytes of [2, 4, -1, 1e12, "3", null])
    equal(of([bytes, ["ab"], [[0, "c"]]]), undefined);
  for (const part of [1, -1, 0.5, null, ["c"], { length: 1 }, true]) {
    equal(of([3, ["ab"], [[0, part]]]), undefined);
  }
  for (const rows of [null, 3, "ab", [3], [null]]) equal(of([3, ["ab"], rows]), undefined);
  for (const texts of [null, {}, [3]]) equal(of([3, texts, [[0, "c"]]]), undefined);
  equal(opened(Buffer.from("[3,")), undefined);
  equal(opened(packed([["a"], ["b"]]).subarray(0, -1)), undefined);
});

test("a small row does not become a large text", () => {
  const places = new Array(100_000).fill(0);
  const row = [16 * 1024 * 1024, ["x".repeat(100_000)], [places]];
  const before = process.memoryUsage().rss;
  equal(opened(Buffer.from(JSON.stringify(row))), undefined);
  ok(process.memoryUsage().rss - before < 500 * 2 ** 20);
  deepEqual(opened(Buffer.from(JSON.stringify([1e9, ["x".repeat(1000)], []]))), undefined);
});
