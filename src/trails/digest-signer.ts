import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { promisify } from "node:util";
import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Command } from "../kernel/command.ts";
import { StaleDecision } from "../kernel/errors.ts";
import type { RecordView } from "../kernel/records.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import {
  type DigestKeyRecord,
  digestKeyContext,
  digestKeys,
} from "../services/cloudtrail/signing-keys.ts";

/** Configuration: `state/record-cache`. */
export interface TrailRecords<View extends RecordView> {
  view(): View;
  commit(view: View | undefined, commands: readonly Command[]): Promise<unknown>;
}

export interface DigestSignerDependencies<View extends RecordView> {
  readonly records: TrailRecords<View>;
  readonly secrets: SecretBox;
  /** Service clock: it dates digests. */
  readonly clock: Pick<Clock, "now">;
}

/** Signs digests with the region's RSA key. */
export interface DigestSigner {
  /** The key that signs now; the first digest of a region makes it. */
  present(region: string): Promise<PresentKey>;
}

export interface PresentKey {
  readonly fingerprint: string;
  /** RSASSA-PKCS1-v1_5 with SHA-256, hex. */
  sign(text: string): string;
}

/** AWS: RSA of 2048 bits. */
const keyBits = 2048;
const yearMs = 365 * 86_400_000;
/** A key signs for a year, and stays listed for ever. */
const validMs = yearMs;
const attemptsMax = 10;

export function createDigestSigner<View extends RecordView>(
  deps: DigestSignerDependencies<View>,
): DigestSigner {
  const opened = new Map<string, KeyObject>();
  return {
    async present(region) {
      const record = await presentKey(deps, region);
      const key = opened.get(record.fingerprint) ?? openKey(deps.secrets, region, record);
      opened.set(record.fingerprint, key);
      return {
        fingerprint: record.fingerprint,
        sign: (text) => sign("sha256", Buffer.from(text, "utf8"), key).toString("hex"),
      };
    },
  };
}

/**
 * Whether a signature is one of the region's keys; `unknown`: it has no key of that fingerprint.
 */
export function digestSignatureHolds(
  keys: readonly DigestKeyRecord[],
  fingerprint: string,
  text: string,
  signature: string,
): "holds" | "fails" | "unknown" {
  const record = keys.find((key) => key.fingerprint === fingerprint);
  if (record === undefined) return "unknown";
  const key = createPublicKey({
    key: Buffer.from(record.publicKey, "base64"),
    format: "der",
    type: "pkcs1",
  });
  if (!/^([0-9a-f]{2})+$/.test(signature)) return "fails";
  const bytes = Buffer.from(signature, "hex");
  return verify("sha256", Buffer.from(text, "utf8"), key, bytes) ? "holds" : "fails";
}

async function presentKey<View extends RecordView>(
  deps: DigestSignerDependencies<View>,
  region: string,
): Promise<Readonly<DigestKeyRecord>> {
  for (let attempt = 1; ; attempt += 1) {
    const view = deps.records.view();
    const nowMs = deps.clock.now();
    const keys = await digestKeys.list(view, region);
    const valid = keys.find((key) => key.validFromMs <= nowMs && nowMs < key.validToMs);
    if (valid) return valid;
    try {
      const made = await makeKey(deps.secrets, region, nowMs);
      await deps.records.commit(view, [digestKeys.put(region, made)]);
      return made;
    } catch (error) {
      // Another process made one meanwhile.
      if (!(error instanceof StaleDecision) || attempt === attemptsMax) throw error;
    }
  }
}

const makeKeyPair = promisify(generateKeyPair);

async function makeKey(
  secrets: SecretBox,
  region: string,
  nowMs: EpochMs,
): Promise<DigestKeyRecord> {
  const { publicKey, privateKey } = await makeKeyPair("rsa", { modulusLength: keyBits });
  const der = publicKey.export({ type: "pkcs1", format: "der" });
  const fingerprint = hash("md5", der, "hex");
  const secret = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = secrets.seal(secret, digestKeyContext(region, fingerprint));
  secret.fill(0);
  // AWS: tools ask for the keys of a time that begins with the digest, to the second.
  const validFromMs = Math.floor(nowMs / 1000) * 1000;
  return {
    fingerprint,
    publicKey: der.toString("base64"),
    privateKey: sealed,
    validFromMs,
    validToMs: validFromMs + validMs,
  };
}

function openKey(secrets: SecretBox, region: string, record: DigestKeyRecord): KeyObject {
  const context = digestKeyContext(region, record.fingerprint);
  const key = secrets.open(record.privateKey, context);
  const opened = createPrivateKey({ key, type: "pkcs8", format: "der" });
  key.fill(0);
  return opened;
}
