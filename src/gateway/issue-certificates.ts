import type { KeyObject } from "node:crypto";
import type { EpochMs } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import {
  alternativeNames,
  authorityKeyId,
  basicConstraints,
  keyIdOf,
  keyUsage,
  nameConstraints,
  serverAuthentication,
  subjectKeyId,
  writeCertificate,
} from "./certificate-form.ts";
import type { CertificateNames } from "./certificate-names.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Clients whose clock is behind accept a fresh certificate too. */
const backdatedMs = hourMs;

export const authorityDays = 3650;
export const serverDays = 90;

/** The private CA: may sign servers only, and only for the names it is limited to. */
export function issueAuthority(request: {
  readonly name: string;
  readonly key: KeyObject;
  readonly limits: Pick<CertificateNames, "trees" | "networks">;
  readonly now: EpochMs;
  readonly random: Random;
}): string {
  const { key, limits } = request;
  return writeCertificate({
    serial: serialNumber(request.random),
    issuer: request.name,
    subject: request.name,
    notBeforeMs: request.now - backdatedMs,
    notAfterMs: request.now - backdatedMs + authorityDays * dayMs,
    subjectKey: key,
    issuerKey: key,
    extensions: [
      basicConstraints(0),
      keyUsage("authority"),
      nameConstraints(limits.trees, limits.networks),
      subjectKeyId(keyIdOf(key)),
    ],
  });
}

/** A server certificate of 90 days, never longer than its CA's. */
export function issueServer(request: {
  readonly names: readonly string[];
  readonly key: KeyObject;
  readonly issuerName: string;
  readonly issuerKey: KeyObject;
  readonly issuerNotAfterMs: EpochMs;
  readonly now: EpochMs;
  readonly random: Random;
}): string {
  const notBeforeMs = request.now - backdatedMs;
  return writeCertificate({
    serial: serialNumber(request.random),
    issuer: request.issuerName,
    subject: "sealpost",
    notBeforeMs,
    notAfterMs: Math.min(notBeforeMs + serverDays * dayMs, request.issuerNotAfterMs),
    subjectKey: request.key,
    issuerKey: request.issuerKey,
    extensions: [
      basicConstraints(undefined),
      keyUsage("server"),
      serverAuthentication(),
      alternativeNames(request.names),
      subjectKeyId(keyIdOf(request.key)),
      authorityKeyId(keyIdOf(request.issuerKey)),
    ],
  });
}

/** 128 random bits; positive and never zero. */
function serialNumber(random: Random): Buffer {
  const serial = random.bytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
