// Goal: hashes of the audit's chains are HMAC-SHA-256, and tell every two places and contents apart.
// Method: the same computed with node:crypto's HMAC; pairs that differ in one thing.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { chainHash, chainKeys, chainStart } from "../../src/crypto/chain.ts";

const key = { version: 1, key: Buffer.from("6b".repeat(32), "hex") };
const place = { accountId: "111122223333", region: "us-east-1", lane: "", number: 7 };

test("a hash is the HMAC of place, hash before, facts and record", () => {
  for (const record of ["", "record", "ä".repeat(5000)]) {
    const head = JSON.stringify([
      "sealpost.chain.1",
      place.accountId,
      place.region,
      place.lane,
      place.number,
      "00".repeat(32),
      ["fact", 1, true],
    ]);
    assert.deepEqual(
      chainHash(key, place, chainStart, ["fact", 1, true], record),
      createHmac("sha256", key.key).update(`${head}\n${record}`).digest(),
    );
  }
});

test("everything counts", () => {
  const base = chainHash(key, place, chainStart, ["a"], "r").toString("hex");
  const others = [
    chainHash({ version: 1, key: Buffer.alloc(32) }, place, chainStart, ["a"], "r"),
    chainHash(key, { ...place, accountId: "999988887777" }, chainStart, ["a"], "r"),
    chainHash(key, { ...place, region: "eu-west-1" }, chainStart, ["a"], "r"),
    chainHash(key, { ...place, lane: "main" }, chainStart, ["a"], "r"),
    chainHash(key, { ...place, number: 8 }, chainStart, ["a"], "r"),
    chainHash(key, place, Buffer.alloc(32, 1), ["a"], "r"),
    chainHash(key, place, chainStart, ["b"], "r"),
    chainHash(key, place, chainStart, [], 'a"]\nr'),
    chainHash(key, place, chainStart, ["a"], "s"),
  ].map((hash) => hash.toString("hex"));
  assert.equal(new Set([base, ...others]).size, others.length + 1);
});

test("each version of the row key has a chain key, and it is another key", () => {
  const ring = [1, 2].map((version) => ({
    purpose: "rows" as const,
    version,
    key: Buffer.alloc(32, version),
  }));
  const keys = chainKeys([...ring, { purpose: "tokens", version: 1, key: Buffer.alloc(32) }]);
  assert.deepEqual(
    keys.map(({ version }) => version),
    [1, 2],
  );
  assert.equal(Buffer.from(keys[0]?.key ?? []).equals(ring[0]?.key ?? Buffer.alloc(0)), false);
});
