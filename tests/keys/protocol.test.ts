import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entryBytes, MaterialCache } from "../../src/keys/material-cache.ts";
import { encodeFrame, FrameReader, joinFrames } from "../../src/keys/protocol.ts";

interface Kept {
  id: number;
  code: number;
  fields: Buffer[];
}

/** Reads chunks and keeps copies, since the reader wipes what it hands out. */
function readAll(chunks: readonly Buffer[]): Kept[] {
  const kept: Kept[] = [];
  const reader = new FrameReader(({ id, code, fields }) =>
    kept.push({ id, code, fields: fields.map((field) => Buffer.from(field)) }),
  );
  for (const chunk of chunks) reader.push(chunk);
  return kept;
}

// Goal: frames arrive as they were sent, wherever the pipe cuts them. Method: property over frames
// and cuts.
test("frames survive any cutting", () => {
  const frames = fc.array(
    fc.record({
      id: fc.nat(),
      code: fc.nat(255),
      fields: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(frames, fc.array(fc.nat(400), { maxLength: 8 }), (sent, cuts) => {
      const bytes = joinFrames(sent.map(({ id, code, fields }) => encodeFrame(id, code, fields)));
      const ends = [...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = ends.map((end, index) =>
        Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)),
      );
      const expected = sent.map(({ fields, ...rest }) => ({
        ...rest,
        fields: fields.map((field) => Buffer.from(field)),
      }));
      assert.deepEqual(
        readAll(chunks),
        expected.map(({ id, code, fields }) => ({ id, code, fields })),
      );
    }),
  );
});

// Goal: no plaintext stays behind in the buffers of the pipe. Method: look at the chunks and joined
// frames afterwards.
test("chunks and frames are wiped", () => {
  const frame = encodeFrame(1, 3, ["plaintext"]);
  const joined = joinFrames([frame, encodeFrame(2, 3, ["plaintext"])]);
  assert.ok(frame.every((byte) => byte === 0));
  const chunks = [joined.subarray(0, 20), joined.subarray(20)];
  const kept = readAll(chunks);
  assert.equal(kept.length, 2);
  assert.ok(joined.every((byte) => byte === 0));
});

// Goal: bytes that are no frames stop the reader instead of growing it.
test("malformed frames throw", () => {
  const huge = Buffer.alloc(9);
  huge.writeUInt32BE(0xffff_ffff);
  assert.throws(() => readAll([huge]), /malformed/);
  assert.throws(() => readAll([Buffer.alloc(9)]), /malformed/);
  const torn = encodeFrame(1, 1, ["abc"]);
  torn.writeUInt32BE(4, 9);
  assert.throws(() => readAll([torn]), /malformed/);
});

// Goal: material is wiped whenever it leaves the cache, and never given for another key. Method:
// keep the buffers and look at them.
test("material cache", () => {
  const cache = new MaterialCache(2 * (entryBytes + 32));
  const key = { accountId: "1", keyId: "a" };
  const [first, second, third] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill));
  assert.ok(first && second && third);
  cache.put(key, "first", first);
  cache.put(key, "second", second);
  assert.equal(cache.get(key, "first"), first);
  assert.equal(cache.get({ accountId: "2", keyId: "a" }, "first"), undefined);
  assert.equal(cache.get({ accountId: "1", keyId: "b" }, "first"), undefined);
  cache.put(key, "third", third);
  assert.equal(cache.get(key, "second"), undefined);
  assert.ok(second.every((byte) => byte === 0));
  assert.ok(first.every((byte) => byte === 1));
  cache.forget("first");
  assert.ok(first.every((byte) => byte === 0));
  cache.put(key, "third", Buffer.alloc(32, 4));
  assert.ok(third.every((byte) => byte === 0));
  assert.equal(cache.size, 1);
});
