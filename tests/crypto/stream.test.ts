// Goal: a long text comes back only whole, in order and under its key. Method: round trips at the
// edges of a chunk, then every way to take a chunk away, repeat it or move it; X-Wing against the
// first test vector of draft-connolly-cfrg-xwing-kem.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import { systemRandom } from "../../src/crypto/random.ts";
import { streamOpener, streamSealer } from "../../src/crypto/stream.ts";
import { publicKeyOf, unwrapKey, wrapKey } from "../../src/crypto/wrap.ts";

const key = systemRandom.bytes(32);

function opened(chunks: readonly Buffer[], under = key) {
  const reader = streamOpener(under);
  const parts = reader.push(Buffer.concat(chunks));
  const whole = parts.every(({ status }) => status === "chunk") && reader.ended;
  const texts = parts.flatMap((part) => (part.status === "chunk" ? [String(part.plaintext)] : []));
  return { whole, texts };
}

test("a stream opens whole and in order only", () => {
  const seal = streamSealer(key);
  const [a, b, c] = [
    seal(Buffer.from("a"), false),
    seal(Buffer.alloc(0), false),
    seal(Buffer.from("c"), true),
  ];
  deepEqual(opened([a, b, c]), { whole: true, texts: ["a", "", "c"] });
  const wrong: readonly (readonly Buffer[])[] = [[a, b], [a, c], [b, a, c], [a, a, b, c], [c]];
  for (const chunks of wrong) equal(opened(chunks).whole, false);
  equal(opened([a, b, c, a]).whole, false);
  equal(opened([a, b, c], systemRandom.bytes(32)).texts.length, 0);
  // The last chunk of another stream under the same place's number does not fit either.
  const other = streamSealer(systemRandom.bytes(32));
  equal(opened([a, b, other(Buffer.from("c"), true)]).whole, false);
});

test("bytes that come one by one open the same", () => {
  const seal = streamSealer(key);
  const bytes = Buffer.concat([seal(Buffer.from("one"), false), seal(Buffer.from("two"), true)]);
  const reader = streamOpener(key);
  const parts = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
  equal(parts.length, 2);
  ok(reader.ended);
});

test("what is wrapped opens for its holder, its purpose and unchanged", async () => {
  const seed = systemRandom.bytes(32);
  const about = Buffer.from("this backup");
  const secret = systemRandom.bytes(32);
  const wrapped = await wrapKey(await publicKeyOf(seed), secret, about, systemRandom);
  deepEqual(await unwrapKey(seed, wrapped, about), secret);
  equal(await unwrapKey(systemRandom.bytes(32), wrapped, about), undefined);
  equal(await unwrapKey(seed, wrapped, Buffer.from("that backup")), undefined);
  const changed = Buffer.from(wrapped.encapsulation);
  changed[5] = (changed[5] ?? 0) ^ 1;
  equal(await unwrapKey(seed, { ...wrapped, encapsulation: changed }, about), undefined);
});

test("the KEM is X-Wing", () => {
  const seed = Buffer.from(
    "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    "hex",
  );
  const coins = Buffer.from(
    "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2" +
      "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    "hex",
  );
  const { publicKey } = ml_kem768_x25519.keygen(seed);
  const { sharedSecret } = ml_kem768_x25519.encapsulate(publicKey, coins);
  equal(
    Buffer.from(sharedSecret).toString("hex"),
    "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  );
});
