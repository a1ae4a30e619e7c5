import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type BlobHeader, blobIdentity } from "../../src/crypto/blob.ts";
import { entryBytes, MaterialCache, privateKeyBytes } from "../../src/keys/material-cache.ts";
import { FrameBatch, FrameReader } from "../../src/keys/protocol.ts";
import { frameOf, identity } from "./helpers.ts";

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
      const batch = new FrameBatch();
      for (const { id, code, fields } of sent) batch.add(id, code, fields);
      const bytes = batch.take();
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

// Goal: no plaintext stays behind in the buffers of the pipe. Method: look at the chunks, and at the
// batch after its write, at what it outgrew and at what was never sent.
test("chunks and batches are wiped", () => {
  const isWiped = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  const chunk = Buffer.concat([frameOf(1, 3, ["plaintext"]), frameOf(2, 3, ["plaintext"])]);
  assert.equal(readAll([chunk.subarray(0, 20), chunk.subarray(20)]).length, 2);
  assert.ok(isWiped(chunk));

  const batch = new FrameBatch();
  batch.add(1, 3, ["plaintext"]);
  const first = batch.take();
  batch.add(2, 3, ["plaintext"]);
  const second = batch.take();
  assert.ok(second.includes("plaintext") && first.includes("plaintext"));
  batch.reuse(first);
  assert.ok(isWiped(first));
  batch.add(3, 3, ["plaintext"]);
  batch.discard();
  assert.ok(batch.isEmpty);
  batch.add(4, 3, ["plaintext"]);
  const again = batch.take();
  const before = Buffer.from(again.buffer, again.byteOffset, again.length);
  batch.reuse(again);
  batch.add(5, 3, [Buffer.alloc(200_000, 7)]);
  const [frame] = readAll([batch.take()]);
  assert.equal(frame?.fields[0]?.length, 200_000);
  assert.ok(isWiped(before));
});

// Goal: bytes that are no frames stop the reader instead of growing it.
test("malformed frames throw", () => {
  const huge = Buffer.alloc(9);
  huge.writeUInt32BE(0xffff_ffff);
  assert.throws(() => readAll([huge]), /malformed/);
  assert.throws(() => readAll([Buffer.alloc(9)]), /malformed/);
  const torn = frameOf(1, 1, ["abc"]);
  torn.writeUInt32BE(4, 9);
  assert.throws(() => readAll([torn]), /malformed/);
});

// Goal: material is wiped whenever it leaves the cache, and never given for another key or spec.
// Method: keep the buffers and look at them.
test("material cache", () => {
  const cache = new MaterialCache(2 * (entryBytes + 32));
  const name = (digit: string, change: Partial<BlobHeader> = {}) =>
    blobIdentity({ ...identity, materialId: digit.repeat(64), ...change });
  const [first, second, third] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill));
  assert.ok(first && second && third);
  const spec = "SYMMETRIC_DEFAULT";
  cache.put(name("a"), spec, first);
  cache.put(name("b"), spec, second);
  assert.equal(cache.get(name("a"), spec), first);
  assert.equal(cache.get(name("a"), "HMAC_256"), undefined);
  assert.equal(cache.get(name("a", { accountId: "000000000002" }), spec), undefined);
  const mrk = `mrk-${identity.keyId.replaceAll("-", "")}`;
  assert.equal(cache.get(name("a", { keyId: mrk }), spec), undefined);
  cache.put(name("c"), spec, third);
  assert.equal(cache.get(name("b"), spec), undefined);
  assert.ok(second.every((byte) => byte === 0));
  assert.ok(first.every((byte) => byte === 1));
  cache.forget("a".repeat(64));
  assert.ok(first.every((byte) => byte === 0));
  cache.put(name("c"), spec, Buffer.alloc(32, 4));
  assert.ok(third.every((byte) => byte === 0));
  assert.equal(cache.size, 1);
  const signing = Buffer.alloc(48, 5);
  cache.put(name("c"), "ECC_NIST_P256", signing);
  cache.forget("c".repeat(64));
  assert.ok(signing.every((byte) => byte === 0));
  assert.equal(cache.size, 0);
});

// Goal: a private key is read once, for the key and spec that it is of, and counts in the cache.
// Method: look whether the same object is answered, and when it no longer is.
test("material cache: private keys", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkcs8 = () => privateKey.export({ type: "pkcs8", format: "der" });
  const name = (digit: string) => blobIdentity({ ...identity, materialId: digit.repeat(64) });
  const spec = "ECC_NIST_P256";
  const cache = new MaterialCache(2 * (entryBytes + privateKeyBytes + 200));
  cache.put(name("a"), spec, pkcs8());
  const read = cache.privateKey(name("a"), spec);
  assert.ok(read?.equals(privateKey));
  assert.equal(cache.privateKey(name("a"), spec), read, "once");
  assert.equal(cache.privateKey(name("a"), "ECC_NIST_P384"), undefined);
  assert.equal(cache.privateKey(name("b"), spec), undefined);
  for (const digit of ["b", "c", "d"]) cache.put(name(digit), spec, pkcs8());
  assert.equal(cache.size, 4);
  for (const digit of ["b", "c", "d"]) assert.ok(cache.privateKey(name(digit), spec));
  assert.equal(cache.size, 2, "what OpenSSL holds counts");
  cache.forget("d".repeat(64));
  assert.equal(cache.privateKey(name("d"), spec), undefined);
  cache.put(name("d"), spec, pkcs8());
  assert.notEqual(cache.privateKey(name("d"), spec), undefined, "its room was given back");
  assert.equal(cache.size, 2);
});
