import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { aeadOpen, aeadSeal } from "../../src/crypto/aead.ts";
import { bytes, named, vectorGroups, withoutVectors } from "./wycheproof.ts";

// Goal: AES-256-GCM is as Wycheproof knows it. Method: through the layer, since KMS seals every blob
// under a key of its own.

test("AES-GCM: aes_gcm", { skip: withoutVectors }, () => {
  const seen = { opened: 0, refused: 0, nonces: 0 };
  for (const group of vectorGroups("aes_gcm").filter(({ keySize }) => keySize === 256)) {
    for (const vector of group.tests) {
      const name = named("aes_gcm", vector);
      const [key, nonce] = [bytes(vector, "key"), bytes(vector, "iv")];
      const [associated, message] = [bytes(vector, "aad"), bytes(vector, "msg")];
      const sealed = Buffer.concat([bytes(vector, "ct"), bytes(vector, "tag")]);
      const opened = aeadOpen(key, nonce, associated, sealed);
      if (vector.result === "invalid") {
        equal(opened, undefined, name);
        seen.refused += 1;
      } else if (group.ivSize === 96) {
        deepEqual(opened, message, name);
        deepEqual(aeadSeal(key, nonce, associated, message), sealed, name);
        seen.opened += 1;
      } else {
        // Nonces of other lengths are hashed first, which loses SP 800-38D's bounds: never ours.
        equal(opened, undefined, name);
        seen.nonces += 1;
      }
    }
  }
  ok(seen.opened > 20 && seen.refused > 20 && seen.nonces > 5);
});
