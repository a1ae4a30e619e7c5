import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRing, rotateRingKey } from "../../src/crypto/keyring.ts";
import { systemRandom } from "../../src/crypto/random.ts";
import { createSecretBox } from "../../src/crypto/secretbox.ts";
import { Fault } from "../../src/kernel/errors.ts";

const ring = createRing(systemRandom);
const box = createSecretBox(ring, systemRandom);
const damaged = (error: unknown) => error instanceof Fault && error.kind === "sealed-secret";

// Goal: a secret opens under its context only. Method: property over secrets and contexts.
test("round trip, bound to its context", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), fc.string(), (secret, context, other) => {
      const sealed = box.seal(secret, context);
      assert.deepEqual(box.open(sealed, context), Buffer.from(secret));
      if (other !== context) assert.throws(() => box.open(sealed, other), damaged);
    }),
  );
});

// Goal: no changed text opens. Method: another letter at every place, every truncation, additions
// that a lenient base64 decoder passes over.
test("changed texts do not open", () => {
  const sealed = box.seal(Buffer.from("secret"), "iam.accessKey/AKIA");
  for (let at = 0; at < sealed.length; at += 1) {
    const letter = sealed[at] === "A" ? "B" : "A";
    const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
    assert.throws(() => box.open(changed, "iam.accessKey/AKIA"), damaged);
    assert.throws(() => box.open(sealed.slice(0, at), "iam.accessKey/AKIA"), damaged);
  }
  for (const added of ["=", "\n", " ", "A"]) {
    assert.throws(() => box.open(sealed + added, "iam.accessKey/AKIA"), damaged);
  }
  assert.equal(box.open(sealed, "iam.accessKey/AKIA").toString(), "secret");
});

// Goal: secrets outlive a rotation of their ring key. Method: rotate; a new secret names version 2,
// which the box of the old ring does not know (the twin).
test("rotation of the ring key", () => {
  const rotated = createSecretBox(rotateRingKey(ring, "secrets", systemRandom), systemRandom);
  assert.equal(rotated.open(box.seal(Buffer.from("old"), "c"), "c").toString(), "old");
  const anew = rotated.seal(Buffer.from("new"), "c");
  assert.equal(rotated.open(anew, "c").toString(), "new");
  assert.throws(() => box.open(anew, "c"), damaged);
});
