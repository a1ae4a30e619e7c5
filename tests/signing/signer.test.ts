// Goal: notifications are signed by one key for ever, which nobody reads in the store. Method: the
// signer over the real record cache and store; signatures are verified with the certificate alone.
import assert from "node:assert/strict";
import { verify, X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { createRing } from "../../src/crypto/keyring.ts";
import { systemRandom as random } from "../../src/crypto/random.ts";
import { createSecretBox } from "../../src/crypto/secretbox.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { createSigner, type Signer } from "../../src/signing/signer.ts";
import { installationScope, keyName, signingKeys } from "../../src/signing/store.ts";
import { RecordCache } from "../../src/state/record-cache.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";

const dayMs = 86_400_000;
const rows = { make: () => Buffer.alloc(32), verify: () => true };

async function place(t: TestContext) {
  const store = await openSqliteStore({ path: ":memory:", log: silentLog });
  t.after(() => store.close());
  const secrets = createSecretBox(createRing(random), random);
  const clock = { nowMs: Date.UTC(2026, 0, 2), now: () => clock.nowMs };
  const newSigner = (): Signer =>
    createSigner({
      records: new RecordCache({ store, rows, entriesMax: 100 }),
      secrets,
      random,
      clock,
      publicUrl: () => "https://localhost:4566",
    });
  const storedKey = async () => {
    const records = new RecordCache({ store, rows, entriesMax: 100 });
    return signingKeys.get(records.view(), installationScope, keyName);
  };
  return { newSigner, clock, storedKey };
}

async function certificateOf(signer: Signer): Promise<X509Certificate> {
  const { pathname, origin } = new URL(signer.certificateUrl());
  assert.equal(origin, "https://localhost:4566");
  assert.match(pathname, /^\/SimpleNotificationService-[0-9a-f]{32}\.pem$/);
  return new X509Certificate((await signer.certificateAt(pathname)) ?? "");
}

test("both versions verify with the certificate at the given address", async (t) => {
  const { newSigner, clock } = await place(t);
  const signer = newSigner();
  assert.throws(() => signer.certificateUrl(), /nothing was signed/);
  const text = "Message\nhällo\nType\nNotification\n";
  const one = Buffer.from(await signer.sign("1", text), "base64");
  const two = Buffer.from(await signer.sign("2", text), "base64");
  const certificate = await certificateOf(signer);
  assert.ok(verify("sha1", Buffer.from(text), certificate.publicKey, one));
  assert.ok(verify("sha256", Buffer.from(text), certificate.publicKey, two));
  assert.equal(verify("sha256", Buffer.from(`${text}x`), certificate.publicKey, two), false);
  assert.equal(verify("sha256", Buffer.from(text), certificate.publicKey, one), false);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.subject, "CN=sns.amazonaws.com");
  assert.equal(certificate.ca, false);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.ok(Date.parse(certificate.validFrom) < clock.nowMs);
  assert.ok(Date.parse(certificate.validTo) > clock.nowMs + 3000 * dayMs);
});

test("signers that start at the same moment, and later ones, share one key", async (t) => {
  const { newSigner } = await place(t);
  const [first, second, third] = [newSigner(), newSigner(), newSigner()];
  const signatures = await Promise.all([
    first.sign("2", "text"),
    first.sign("2", "text"),
    second.sign("2", "text"),
  ]);
  await third.prepare();
  assert.equal(new Set(signatures).size, 1);
  const urls = [first, second, third].map((signer) => signer.certificateUrl());
  assert.equal(new Set(urls).size, 1);
});

test("a renewed certificate keeps the key, and the old address keeps answering", async (t) => {
  const { newSigner, clock } = await place(t);
  const signer = newSigner();
  const signature = Buffer.from(await signer.sign("2", "text"), "base64");
  const before = signer.certificateUrl();
  clock.nowMs += 3620 * dayMs;
  await signer.sign("2", "text");
  assert.notEqual(signer.certificateUrl(), before);
  const renewed = await certificateOf(signer);
  assert.ok(verify("sha256", Buffer.from("text"), renewed.publicKey, signature));
  assert.ok(await signer.certificateAt(new URL(before).pathname));
});

test("the private key is stored sealed", async (t) => {
  const { newSigner, storedKey } = await place(t);
  await newSigner().prepare();
  const sealed = (await storedKey())?.privateKey ?? "";
  const bytes = Buffer.from(sealed.slice(3), "base64url");
  // The twin: PKCS #8 in the clear names rsaEncryption near its start.
  const rsaEncryption = Buffer.from("2a864886f70d010101", "hex");
  assert.ok(bytes.length > 1000);
  assert.equal(bytes.includes(rsaEncryption), false);
});

test("other paths are none of the signer's", async (t) => {
  const { newSigner } = await place(t);
  const signer = newSigner();
  await signer.prepare();
  const { pathname } = new URL(signer.certificateUrl());
  assert.ok(await signer.certificateAt(pathname));
  for (const path of ["/", "/x.pem", pathname.toUpperCase(), `${pathname}/`, `/a${pathname}`]) {
    assert.equal(await signer.certificateAt(path), undefined, path);
  }
  const unknown = `/SimpleNotificationService-${"0".repeat(32)}.pem`;
  assert.equal(await signer.certificateAt(unknown), undefined);
});
