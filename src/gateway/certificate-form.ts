import { createPublicKey, hash, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";

/**
 * Writes X.509 certificates (RFC 5280) as DER. Only the few forms that this server issues: ECDSA
 * P-256 keys signed with ECDSA-SHA-256. docs/decisions names why no library does it.
 */
export interface CertificateForm {
  readonly serial: Buffer;
  readonly issuer: string;
  readonly subject: string;
  /** Epoch milliseconds; written in whole seconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly subjectKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

const ecdsaWithSha256 = sequence(objectId("1.2.840.10045.4.3.2"));

/** Signs a certificate; the answer is PEM. */
export function writeCertificate(form: CertificateForm): string {
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(form.serial),
    ecdsaWithSha256,
    commonName(form.issuer),
    sequence(time(form.notBeforeMs), time(form.notAfterMs)),
    commonName(form.subject),
    publicKeyInfo(form.subjectKey),
    tagged(0xa3, sequence(...form.extensions)),
  );
  const signature = sign("sha256", body, form.issuerKey);
  const der = sequence(body, ecdsaWithSha256, bitString(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** basicConstraints. `pathLength` 0: this CA may sign servers, no further CA. */
export function basicConstraints(pathLength: 0 | undefined): Buffer {
  const value =
    pathLength === undefined
      ? sequence()
      : sequence(element(0x01, Buffer.from([0xff])), integer(Buffer.from([pathLength])));
  return extension("2.5.29.19", true, value);
}

export function keyUsage(kind: "authority" | "server"): Buffer {
  // keyCertSign and cRLSign (bits 5, 6), or digitalSignature (bit 0).
  const bits = kind === "authority" ? [1, 0x06] : [7, 0x80];
  return extension("2.5.29.15", true, element(0x03, Buffer.from(bits)));
}

export function serverAuthentication(): Buffer {
  return extension("2.5.29.37", false, sequence(objectId("1.3.6.1.5.5.7.3.1")));
}

export function subjectKeyId(keyId: Buffer): Buffer {
  return extension("2.5.29.14", false, element(0x04, keyId));
}

export function authorityKeyId(keyId: Buffer): Buffer {
  return extension("2.5.29.35", false, sequence(element(0x80, keyId)));
}

/** DNS names and IP addresses of a server. */
export function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIP(name) === 0
      ? element(0x82, Buffer.from(name, "ascii"))
      : element(0x87, addressBytes(name)),
  );
  return extension("2.5.29.17", false, sequence(...entries));
}

/** Names that certificates under this CA may hold: DNS trees and networks `address/bits`. */
export function nameConstraints(trees: readonly string[], networks: readonly string[]): Buffer {
  const permitted = [
    ...trees.map((tree) => sequence(element(0x82, Buffer.from(tree, "ascii")))),
    ...networks.map((network) => sequence(element(0x87, networkBytes(network)))),
  ];
  return extension("2.5.29.30", true, sequence(tagged(0xa0, ...permitted)));
}

/** Key identifier: the first 160 bits of SHA-256 of the public key (RFC 7093, method 1). */
export function keyIdOf(key: KeyObject): Buffer {
  // The point of a P-256 key is the last 65 bytes of its key info.
  return hash("sha256", publicKeyInfo(key).subarray(-65), "buffer").subarray(0, 20);
}

function publicKeyInfo(key: KeyObject): Buffer {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "der" });
}

/** The 4 or 16 bytes of an address. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const before = groupBytes(head);
  const after = groupBytes(tail ?? "");
  return Buffer.concat([before, Buffer.alloc(16 - before.length - after.length), after]);
}

function groupBytes(text: string): Buffer {
  const groups = text === "" ? [] : text.split(":");
  const parts = groups.map((group) =>
    group.includes(".") ? addressBytes(group) : Buffer.from(group.padStart(4, "0"), "hex"),
  );
  return Buffer.concat(parts);
}

function networkBytes(network: string): Buffer {
  const [address = "", bits = ""] = network.split("/");
  const bytes = addressBytes(address);
  const mask = bytes.map((_, index) => {
    const ones = Math.max(0, Math.min(8, Number(bits) - 8 * index));
    return (0xff << (8 - ones)) & 0xff;
  });
  return Buffer.concat([bytes, mask]);
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [element(0x01, Buffer.from([0xff]))] : [];
  return sequence(objectId(id), ...flag, element(0x04, value));
}

function commonName(name: string): Buffer {
  const attribute = sequence(objectId("2.5.4.3"), element(0x0c, Buffer.from(name, "utf8")));
  return sequence(element(0x31, attribute));
}

/** RFC 5280: UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(epochMs: number): Buffer {
  const digits = new Date(epochMs)
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replace(/[-:T]/g, "");
  const short = Number(digits.slice(0, 4)) < 2050;
  return element(short ? 0x17 : 0x18, Buffer.from(`${short ? digits.slice(2) : digits}Z`));
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** A positive integer from its big-endian bytes. */
export function integer(bytes: Buffer): Buffer {
  const signed = (bytes[0] ?? 0) >= 0x80;
  return element(0x02, signed ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function bitString(bytes: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

export function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  return element(tag, Buffer.concat(parts));
}

export function element(tag: number, value: Uint8Array): Buffer {
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), value]);
}
