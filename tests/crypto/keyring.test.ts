import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createRing,
  openRing,
  presentRingKey,
  rootKeyFingerprint,
  rotateRingKey,
  sealRing,
} from "../../src/crypto/keyring.ts";
import { createMaterial, unwrapMaterial, wrapMaterial } from "../../src/crypto/material.ts";
import { systemRandom } from "../../src/crypto/random.ts";

const rootKey = Buffer.alloc(32, 1);
const otherRoot = Buffer.alloc(32, 2);
const identity = { accountId: "123456789012", keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdef" };
const random = systemRandom;

// Goal: a ring opens with its root key and shows no key in the clear. Method: round trip.
test("round trip", () => {
  const ring = createRing(random);
  const sealed = sealRing(rootKey, ring, random);
  assert.deepEqual(openRing(rootKey, sealed), { status: "opened", ring });
  for (const { key } of ring) assert.equal(sealed.indexOf(key), -1);
  const purposes = ring.map(({ purpose }) => purpose);
  assert.deepEqual(purposes, ["material", "secrets", "rows", "places", "tokens"]);
});

// Goal: a wrong root key is told from a damaged ring, and neither opens. Method: another root key;
// then every bit flipped, every length cut and an entry left out.
test("wrong root key and damage", () => {
  const sealed = sealRing(rootKey, createRing(random), random);
  assert.equal(openRing(otherRoot, sealed).status, "wrong-root-key");
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ mask;
    assert.notEqual(openRing(rootKey, sealed).status, "opened", `bit ${bit}`);
    sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ mask;
  }
  for (let length = 0; length < sealed.length; length += 1) {
    assert.equal(openRing(rootKey, sealed.subarray(0, length)).status, "damaged");
  }
  const shortened = Buffer.concat([sealed.subarray(0, -97), sealed.subarray(-32)]);
  assert.equal(openRing(rootKey, shortened).status, "damaged");
  assert.equal(openRing(rootKey, sealed).status, "opened");
});

// Goal: rotating the root key changes only what seals the ring. Method: open, seal anew.
test("rotation of the root key", () => {
  const ring = createRing(random);
  const opened = openRing(rootKey, sealRing(rootKey, ring, random));
  assert.ok(opened.status === "opened");
  const resealed = sealRing(otherRoot, opened.ring, random);
  assert.equal(openRing(rootKey, resealed).status, "wrong-root-key");
  assert.deepEqual(openRing(otherRoot, resealed), { status: "opened", ring });
  assert.notEqual(rootKeyFingerprint(rootKey), rootKeyFingerprint(otherRoot));
  assert.match(rootKeyFingerprint(rootKey), /^[0-9a-f]{16}$/);
});

// Goal: rotating a ring key seals with the new version and opens with the old one. Method: material
// wrapped before and after; the ring without its old version is the twin.
test("rotation of a ring key", () => {
  const before = createRing(random);
  const { materialId, material } = createMaterial(identity, random);
  const wrapped = wrapMaterial(before, identity, materialId, material, random);
  const after = rotateRingKey(before, "material", random);
  assert.equal(presentRingKey(after, "material").version, 2);
  assert.equal(presentRingKey(after, "rows").version, 1);
  assert.deepEqual(unwrapMaterial(after, identity, { materialId, wrapped }), material);
  const anew = wrapMaterial(after, identity, materialId, material, random);
  assert.equal(unwrapMaterial(before, identity, { materialId, wrapped: anew }), undefined);
  const newest = after.filter((key) => key.purpose !== "material" || key.version === 2);
  assert.equal(unwrapMaterial(newest, identity, { materialId, wrapped }), undefined);
  assert.deepEqual(openRing(rootKey, sealRing(rootKey, after, random)), {
    status: "opened",
    ring: after,
  });
});

// Goal: wrapped material is its key's own. Method: change account, key id and material id, flip
// every bit.
test("wrapped material opens only as what it is", () => {
  const ring = createRing(random);
  const { materialId, material } = createMaterial(identity, random);
  assert.match(materialId, /^[0-9a-f]{64}$/);
  const wrapped = wrapMaterial(ring, identity, materialId, material, random);
  const asOther = (change: object, id = materialId) =>
    unwrapMaterial(ring, { ...identity, ...change }, { materialId: id, wrapped });
  assert.deepEqual(asOther({}), material);
  assert.equal(asOther({ accountId: "123456789013" }), undefined);
  assert.equal(asOther({ keyId: "0b7c2f3e-1111-4222-8333-abcdefabcdee" }), undefined);
  assert.equal(asOther({}, "ab".repeat(32)), undefined);
  for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    wrapped[bit >> 3] = (wrapped[bit >> 3] ?? 0) ^ mask;
    assert.equal(asOther({}), undefined, `bit ${bit}`);
    wrapped[bit >> 3] = (wrapped[bit >> 3] ?? 0) ^ mask;
  }
});
