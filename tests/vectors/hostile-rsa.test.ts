import { deepEqual, equal } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, test } from "node:test";
import { importedKey } from "../harness/import-key.ts";
import { rawKms } from "../harness/raw-kms.ts";
import { refusal, startTestServer } from "../harness/server.ts";
import {
  digestInfo,
  digestOf,
  encryptBlock,
  oaepBlock,
  paddedBlock,
  pssBlock,
  signBlock,
} from "./rsa-blocks.ts";

// Goal: an RSA signature or ciphertext whose block is written wrongly in any part is refused, with
// one and the same answer (what Bleichenbacher and Manger asked servers for). Method: import a key,
// write blocks by hand and apply the bare RSA operation; the block written rightly is the twin.

const server = await startTestServer();
after(() => server.stop());
const { kms } = server.rootClients;

const size = 256;
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: size * 8 });
const material = () => privateKey.export({ type: "pkcs8", format: "der" });
const modulus = BigInt(
  `0x${Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url").toString("hex")}`,
);
const message = Buffer.from("patient record");
const digest = digestOf("sha256", message);

const numberOf = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);
const bytesOf = (value: bigint, length = size) =>
  Buffer.from(value.toString(16).padStart(length * 2, "0"), "hex");

/** Forms that no padding makes right. */
function outOfForm(genuine: Buffer): Readonly<Record<string, Buffer>> {
  return {
    zero: Buffer.alloc(size),
    one: bytesOf(1n),
    "modulus less one": bytesOf(modulus - 1n),
    modulus: bytesOf(modulus),
    "with the modulus on top": bytesOf(numberOf(genuine) + modulus, size + 1),
    "a zero before it": Buffer.concat([Buffer.of(0), genuine]),
    "a zero after it": Buffer.concat([genuine, Buffer.of(0)]),
    "cut by one": genuine.subarray(0, -1),
    "one byte": Buffer.of(1),
  };
}

test("PKCS #1 v1.5: what is no signature", async () => {
  const KeyId = await importedKey(kms, "RSA_2048", "SIGN_VERIFY", material());
  const info = digestInfo("sha256", digest);
  const genuine = signBlock(privateKey, paddedBlock(size, info));
  const shortInfo = Buffer.concat([info.subarray(0, 1), Buffer.of(0x81), info.subarray(1)]);
  const withoutNull = Buffer.from(`302f300b0609608648016503040201${"0420"}`, "hex");
  const broken = (at: number, value: number) => {
    const block = paddedBlock(size, info);
    block[at] = value;
    return block;
  };
  const blocks: Readonly<Record<string, Buffer>> = {
    "type 2": paddedBlock(size, info, 2),
    "type 0": paddedBlock(size, info, 0),
    "first byte set": broken(0, 1),
    "a hole in the padding": broken(20, 0),
    "another byte in the padding": broken(20, 0xfe),
    "no separator": broken(size - info.length - 1, 0xff),
    "bytes after the hash": paddedBlock(size, info, 1, 40),
    "one byte after the hash": paddedBlock(size, info, 1, 1),
    "eight bytes of padding, then rubbish": paddedBlock(size, info, 1, size - info.length - 11),
    "a long form of a length": paddedBlock(size, shortInfo),
    "no parameters": paddedBlock(size, Buffer.concat([withoutNull, digest])),
    "another hash's name": paddedBlock(size, digestInfo("sha1", digest.subarray(0, 20))),
    "another hash": paddedBlock(size, digestInfo("sha512", digestOf("sha512", message))),
    "the hash alone": paddedBlock(size, digest),
    "the message alone": paddedBlock(size, message),
    "hash of another message": paddedBlock(size, digestInfo("sha256", digestOf("sha256", digest))),
    "as PSS has it": pssBlock(size, digest, {}),
  };
  await allRefused(KeyId, "RSASSA_PKCS1_V1_5_SHA_256", genuine, blocks);
});

test("PSS: what is no signature", async () => {
  const KeyId = await importedKey(kms, "RSA_2048", "SIGN_VERIFY", material());
  const genuine = signBlock(privateKey, pssBlock(size, digest, {}));
  const blocks: Readonly<Record<string, Buffer>> = {
    "no salt": pssBlock(size, digest, { salt: Buffer.alloc(0) }),
    "a shorter salt": pssBlock(size, digest, { salt: Buffer.alloc(31) }),
    "a longer salt": pssBlock(size, digest, { salt: Buffer.alloc(33) }),
    "the longest salt": pssBlock(size, digest, { salt: Buffer.alloc(222) }),
    "another trailer": pssBlock(size, digest, { trailer: 0xcc }),
    "trailer zero": pssBlock(size, digest, { trailer: 0 }),
    "another separator": pssBlock(size, digest, { separator: 2 }),
    "no separator": pssBlock(size, digest, { separator: 0 }),
    "another mask": pssBlock(size, digest, { mgf: "sha1" }),
    "another hash": pssBlock(size, digest, { hash: "sha384" }),
    "no zeros before the digest": pssBlock(size, digest, { zeros: 1 }),
    "hash of another message": pssBlock(size, digestOf("sha256", digest), {}),
    "as PKCS #1 v1.5 has it": paddedBlock(size, digestInfo("sha256", digest)),
  };
  await allRefused(KeyId, "RSASSA_PSS_SHA_256", genuine, blocks);
});

async function allRefused(
  KeyId: string,
  SigningAlgorithm: "RSASSA_PSS_SHA_256" | "RSASSA_PKCS1_V1_5_SHA_256",
  genuine: Buffer,
  blocks: Readonly<Record<string, Buffer>>,
): Promise<void> {
  const signed = Object.entries(blocks).map(([name, block]) => {
    // A block with its first bit set may be beyond the modulus; no signature has such a one.
    return [name, numberOf(block) < modulus ? signBlock(privateKey, block) : block] as const;
  });
  for (const how of [
    { Message: message, MessageType: "RAW" },
    { Message: digest, MessageType: "DIGEST" },
  ] as const) {
    const asked = { KeyId, SigningAlgorithm, ...how };
    equal((await kms.verify({ ...asked, Signature: genuine })).SignatureValid, true);
    for (const [name, Signature] of [...signed, ...Object.entries(outOfForm(genuine))]) {
      const refused = await refusal(kms.verify({ ...asked, Signature }));
      equal(refused?.name, "KMSInvalidSignatureException", `${how.MessageType} ${name}`);
    }
  }
}

for (const [EncryptionAlgorithm, hash] of [
  ["RSAES_OAEP_SHA_1", "sha1"],
  ["RSAES_OAEP_SHA_256", "sha256"],
] as const) {
  test(`${EncryptionAlgorithm}: what does not open, and one answer for all of it`, async () => {
    const KeyId = await importedKey(kms, "RSA_2048", "ENCRYPT_DECRYPT", material());
    const asked = { KeyId, EncryptionAlgorithm };
    const sealed = (form: object) =>
      encryptBlock(publicKey, oaepBlock(size, message, { hash, ...form }));
    const genuine = sealed({});
    const { Plaintext } = await kms.decrypt({ ...asked, CiphertextBlob: genuine });
    deepEqual(Buffer.from(Plaintext ?? []), message);
    const other = hash === "sha1" ? "sha256" : "sha1";
    const cases: Readonly<Record<string, Buffer>> = {
      // The one that Manger's attack asks about.
      "first byte set": sealed({ first: 1 }),
      "a label": sealed({ label: "x" }),
      "another separator": sealed({ separator: 2 }),
      "no separator": sealed({ separator: 0 }),
      "bytes before the separator": sealed({ filler: 2 }),
      "another mask": sealed({ mgf: other }),
      "another hash": sealed({ hash: other }),
      "as PKCS #1 v1.5 has it": encryptBlock(publicKey, paddedBlock(size, message, 2)),
      ...outOfForm(genuine),
    };
    const answers = new Set<string>();
    for (const [name, CiphertextBlob] of Object.entries(cases)) {
      const input = { ...asked, CiphertextBlob: CiphertextBlob.toString("base64") };
      const { status, body } = await rawKms(server, "Decrypt", input);
      equal(status, 400, name);
      answers.add(body);
    }
    deepEqual(
      [...answers].map((text) => JSON.parse(text).__type),
      ["InvalidCiphertextException"],
    );
  });
}
