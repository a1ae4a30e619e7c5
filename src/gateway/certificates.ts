import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import { certificateNames, permits } from "./certificate-names.ts";
import { readFileIfThere, writeFileAtomically } from "./files.ts";
import { issueAuthority, issueServer } from "./issue-certificates.ts";
import type { TlsMaterial } from "./server.ts";
import { writeTruststore } from "./truststore.ts";

export interface PrivateCertificatesOptions {
  readonly folder: string;
  readonly secrets: SecretBox;
  /** The system clock: certificates never follow the service clock. */
  readonly clock: Clock;
  readonly random: Random;
  readonly hostName: string;
  readonly tlsNames: readonly string[];
  readonly log: Log;
}

/** Where the server's certificate comes from. */
export interface CertificateSource {
  /** The present key and certificate. */
  material(): TlsMaterial;
  /** Absolute path of the CA's certificate; null where it is not ours. */
  readonly caFile: string | null;
  /** Tells of each new certificate from now on. */
  onChange(listener: (material: TlsMaterial) => void): void;
  /** Stops the renewal. */
  close(): void;
}

const dayMs = 86_400_000;
const renewBeforeMs = 30 * dayMs;
const authorityRenewBeforeMs = 365 * dayMs;

interface Authority {
  readonly certificate: X509Certificate;
  readonly name: string;
  readonly trees: readonly string[];
  readonly networks: readonly string[];
}

/**
 * The private CA and the server certificate it issues, both made when they are missing. Private
 * keys lie sealed in DIR/tls; DIR/ca.pem is public. Throws Fault `sealed-secret` if the keys were
 * sealed by another installation.
 */
export function openPrivateCertificates(options: PrivateCertificatesOptions): CertificateSource {
  const { clock, log } = options;
  mkdirSync(join(options.folder, "tls"), { recursive: true, mode: 0o700 });
  const listeners: ((material: TlsMaterial) => void)[] = [];
  let cancelRenewal = (): void => {};
  let present = ensure(options);
  ensureTruststore(options);
  planRenewal();

  function planRenewal(): void {
    const notAfterMs = new X509Certificate(present.cert).validToDate.getTime();
    cancelRenewal = clock.at(notAfterMs - renewBeforeMs, () => {
      present = ensure(options);
      log.info("server certificate renewed");
      for (const listener of listeners) listener(present);
      planRenewal();
    });
  }

  return {
    material: () => present,
    caFile: join(options.folder, "ca.pem"),
    onChange: (listener) => void listeners.push(listener),
    close: () => cancelRenewal(),
  };
}

/** What is in the folder: for a thread beside the one that keeps the certificates. */
export function readPrivateCertificate(options: PrivateCertificatesOptions): TlsMaterial {
  return ensure(options);
}

/** DIR/truststore.p12 for the JVM: the same public certificate as DIR/ca.pem. */
function ensureTruststore({ folder, random }: PrivateCertificatesOptions): void {
  const pem = readFileIfThere(join(folder, "ca.pem"));
  if (pem === undefined || existsSync(join(folder, truststoreName))) return;
  const bytes = writeTruststore(pem, "sealpost", (count) => random.bytes(count));
  writeFileAtomically(join(folder, truststoreName), bytes, 0o644);
}

const truststoreName = "truststore.p12";

/** For a server that cannot open its own key: a certificate nobody is asked to trust. */
export function throwAwayCertificate(now: EpochMs, random: Random): TlsMaterial {
  const key = newKey();
  const names = certificateNames("", []);
  const issuer = { issuerName: "Sealpost, sealed", issuerKey: newKey() };
  const notAfter = now + dayMs;
  const request = { ...issuer, names: names.names, key, now, random, issuerNotAfterMs: notAfter };
  return { key: pemOf(key), cert: issueServer(request) };
}

/** Reads what is there and issues what is missing, expiring or for other names. */
function ensure(options: PrivateCertificatesOptions): TlsMaterial {
  const now = options.clock.now();
  const wanted = certificateNames(options.hostName, options.tlsNames);
  const authority = ensureAuthority(options, now);
  const names = wanted.names.filter((name) => permits(authority, name));
  for (const name of wanted.names.filter((name) => !names.includes(name))) {
    options.log.warn("the CA of this data folder may not certify a name; it is left out", { name });
  }
  const certFile = join(options.folder, "tls", "server.pem");
  const key = readKey(options, "server") ?? makeKey(options, "server");
  const stored = readCertificate(certFile);
  if (stored && isGood(stored, key, authority, names, now)) {
    return { key: pemOf(key), cert: stored.toString() };
  }
  const issuerKey = readKey(options, "ca");
  if (!issuerKey) throw new Error("the CA has no key");
  const cert = issueServer({
    names,
    key,
    issuerName: authority.name,
    issuerKey,
    issuerNotAfterMs: authority.certificate.validToDate.getTime(),
    now,
    random: options.random,
  });
  writeFileAtomically(certFile, cert, 0o600);
  return { key: pemOf(key), cert };
}

function isGood(
  certificate: X509Certificate,
  key: KeyObject,
  authority: Authority,
  names: readonly string[],
  now: EpochMs,
): boolean {
  const alternatives = (certificate.subjectAltName ?? "").split(", ");
  return (
    certificate.validToDate.getTime() - now > renewBeforeMs &&
    certificate.validFromDate.getTime() <= now &&
    certificate.checkPrivateKey(key) &&
    certificate.verify(authority.certificate.publicKey) &&
    certificate.checkIssued(authority.certificate) &&
    alternatives.length === names.length &&
    names.every((name) =>
      isIP(name) === 0
        ? alternatives.includes(`DNS:${name}`)
        : certificate.checkIP(name) !== undefined,
    )
  );
}

/** The CA; made anew under the same key if it expires or if `--tls-name` needs more than it may. */
function ensureAuthority(options: PrivateCertificatesOptions, now: EpochMs): Authority {
  const { folder, log } = options;
  const stored = readAuthority(folder);
  const further = options.tlsNames.map((name) => name.toLowerCase());
  const lasts = (stored?.certificate.validToDate.getTime() ?? 0) - now > authorityRenewBeforeMs;
  if (stored && lasts && further.every((name) => permits(stored, name))) return stored;

  const storedKey = readKey(options, "ca");
  const key = storedKey ?? makeKey(options, "ca");
  const name = stored?.name ?? `Sealpost CA ${options.random.bytes(4).toString("hex")}`;
  const { trees, networks } = certificateNames(options.hostName, options.tlsNames);
  const pem = issueAuthority({
    name,
    key,
    limits: { trees, networks },
    now,
    random: options.random,
  });
  const facts = { name, trees, networks };
  writeFileAtomically(join(folder, "tls", "ca.json"), `${JSON.stringify(facts)}\n`, 0o600);
  writeFileAtomically(join(folder, "ca.pem"), pem, 0o644);
  rmSync(join(folder, truststoreName), { force: true });
  if (storedKey) log.warn("ca.pem has changed: hand it to the clients again", { folder });
  return { certificate: new X509Certificate(pem), ...facts };
}

function readAuthority(folder: string): Authority | undefined {
  const certificate = readCertificate(join(folder, "ca.pem"));
  const text = readFileIfThere(join(folder, "tls", "ca.json"));
  if (certificate === undefined || text === undefined) return undefined;
  // Written by this file only; a damaged one is a reason to stop and look, not to guess.
  return { certificate, ...(JSON.parse(text) as Omit<Authority, "certificate">) };
}

function readCertificate(path: string): X509Certificate | undefined {
  const pem = readFileIfThere(path);
  try {
    return pem === undefined ? undefined : new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function readKey(
  options: PrivateCertificatesOptions,
  whose: "ca" | "server",
): KeyObject | undefined {
  const sealed = readFileIfThere(keyFile(options.folder, whose));
  if (sealed === undefined) return undefined;
  const der = options.secrets.open(sealed.trim(), keyContext(whose));
  const key = createPrivateKey({ key: der, type: "pkcs8", format: "der" });
  der.fill(0);
  return key;
}

function makeKey(options: PrivateCertificatesOptions, whose: "ca" | "server"): KeyObject {
  const key = newKey();
  const der = key.export({ type: "pkcs8", format: "der" });
  const sealed = options.secrets.seal(der, keyContext(whose));
  der.fill(0);
  writeFileAtomically(keyFile(options.folder, whose), `${sealed}\n`, 0o600);
  return key;
}

function keyFile(folder: string, whose: "ca" | "server"): string {
  return join(folder, "tls", `${whose}-key.sealed`);
}

function keyContext(whose: "ca" | "server"): string {
  return `tls-private-key:${whose}`;
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** TLS takes keys as PEM only. */
function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
