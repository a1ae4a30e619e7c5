import { createHmac, hash, X509Certificate } from "node:crypto";
import { element, integer, objectId, sequence, tagged } from "./certificate-form.ts";

/** A certificate is public: this keeps accidents out, nobody else. Java's own default. */
export const truststorePassword = "changeit";

/** As `keytool` of current Java does it. */
const iterations = 10_000;
const macSaltBytes = 20;

/**
 * A PKCS#12 file (RFC 7292) that holds one certificate to trust, as the JVM reads it: a bag with
 * Java's own mark of a trusted certificate, authenticated by HMAC-SHA-256. `bytes` gives the salt.
 */
export function writeTruststore(
  pem: string,
  alias: string,
  bytes: (count: number) => Buffer,
): Buffer {
  const salt = bytes(macSaltBytes);
  const safe = sequence(content(sequence(certificateBag(new X509Certificate(pem).raw, alias))));
  const mac = createHmac("sha256", macKey(salt)).update(safe).digest();
  const digest = sequence(sequence(objectId("2.16.840.1.101.3.4.2.1"), nothing), octets(mac));
  const count = integer(Buffer.from([iterations >>> 8, iterations & 0xff]));
  return sequence(integer(Buffer.from([3])), content(safe), sequence(digest, octets(salt), count));
}

const nothing = element(0x05, Buffer.alloc(0));

function octets(value: Uint8Array): Buffer {
  return element(0x04, value);
}

function content(data: Buffer): Buffer {
  return sequence(objectId("1.2.840.113549.1.7.1"), tagged(0xa0, octets(data)));
}

function certificateBag(der: Buffer, alias: string): Buffer {
  const certificate = sequence(objectId("1.2.840.113549.1.9.22.1"), tagged(0xa0, octets(der)));
  const bag = objectId("1.2.840.113549.1.12.10.1.3");
  return sequence(bag, tagged(0xa0, certificate), element(0x31, attributes(alias)));
}

function attributes(alias: string): Buffer {
  const friendlyName = attribute("1.2.840.113549.1.9.20", element(0x1e, bigEndian(alias)));
  // Without this mark the JVM passes a certificate without a key over: trusted for any use.
  const trusted = attribute("2.16.840.1.113894.746875.1.1", objectId("2.5.29.37.0"));
  return Buffer.concat([friendlyName, trusted]);
}

function attribute(id: string, value: Buffer): Buffer {
  return sequence(objectId(id), element(0x31, value));
}

function bigEndian(text: string): Buffer {
  return Buffer.from(text, "utf16le").swap16();
}

/** RFC 7292, appendix B.2, purpose 3 (MAC): SHA-256 gives all 32 bytes in its first block. */
function macKey(salt: Buffer): Buffer {
  const blockBytes = 64;
  const fill = (value: Buffer) =>
    Buffer.alloc(Math.ceil(value.length / blockBytes) * blockBytes, value);
  const password = bigEndian(`${truststorePassword}\0`);
  let key = Buffer.concat([Buffer.alloc(blockBytes, 3), fill(salt), fill(password)]);
  for (let i = 0; i < iterations; i++) key = hash("sha256", key, "buffer");
  return key;
}
