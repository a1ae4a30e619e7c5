import { type KeyObject, sign } from "node:crypto";
import type { EpochMs } from "../kernel/clock.ts";

/** A certificate to be issued for the key that signs notifications. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** For a certificate that the key signs itself; an authority has no use for it. */
  readonly privateKey: KeyObject;
  readonly commonName: string;
  /** 16 bytes, positive. */
  readonly serial: Buffer;
  readonly notBeforeMs: EpochMs;
  readonly notAfterMs: EpochMs;
}

/** Issues a certificate as PEM. */
export type IssueCertificate = (request: CertificateRequest) => Promise<string> | string;

/**
 * Issues an X.509 certificate (RFC 5280, version 3) that its own RSA key signs with SHA-256, for
 * digital signatures only. Receivers trust the address that they load it from, as with AWS's.
 */
export const issueSelfSigned: IssueCertificate = (request) => {
  const name = commonName(request.commonName);
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(request.serial),
    rsaWithSha256,
    name,
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    name,
    request.publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(notAnAuthority, digitalSignatureOnly)),
  );
  const signature = sign("sha256", body, request.privateKey);
  const bits = element(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const der = sequence(body, rsaWithSha256, bits);
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
};

/** One DER element: tag, length, value. */
function element(tag: number, value: Uint8Array): Buffer {
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  const head =
    length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, (length >>> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return element(0x02, bytes);
}

function commonName(name: string): Buffer {
  const type = Buffer.from("0603550403", "hex");
  return sequence(element(0x31, sequence(type, element(0x0c, Buffer.from(name, "utf8")))));
}

/** UTCTime through 2049, GeneralizedTime from 2050 on. */
function time(epochMs: EpochMs): Buffer {
  const digits = new Date(epochMs).toISOString().slice(0, 19).replace(/[-:T]/g, "");
  const short = digits < "2050";
  return element(short ? 0x17 : 0x18, Buffer.from(`${short ? digits.slice(2) : digits}Z`));
}

/** sha256WithRSAEncryption, with its NULL parameter. */
const rsaWithSha256 = Buffer.from("300d06092a864886f70d01010b0500", "hex");

/** basicConstraints, critical: no certificate authority. */
const notAnAuthority = Buffer.from("300c0603551d130101ff04023000", "hex");

/** keyUsage, critical: digitalSignature. */
const digitalSignatureOnly = Buffer.from("300e0603551d0f0101ff040403020780", "hex");
