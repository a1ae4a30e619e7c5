import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  hash,
  type KeyObject,
  sign,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import type { Clock, EpochMs } from "../kernel/clock.ts";
import type { Command } from "../kernel/command.ts";
import { StaleDecision } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import type { RecordView } from "../kernel/records.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import { type IssueCertificate, issueSelfSigned } from "./self-signed.ts";
import {
  certificates,
  installationScope,
  keyName,
  type SigningKeyRecord,
  sealContext,
  signingKeys,
} from "./store.ts";

export interface SignerDependencies<View extends RecordView> {
  /** Configuration: `state/record-cache`. */
  readonly records: {
    view(): View;
    commit(view: View | undefined, commands: readonly Command[]): Promise<unknown>;
  };
  readonly secrets: SecretBox;
  readonly random: Random;
  /** System clock: certificates live by it. */
  readonly clock: Pick<Clock, "now">;
  /** `https://host:port` for the certificate's address. */
  readonly publicUrl: () => string;
  /** Host in the certificate's address, where receivers' libraries insist on one of AWS. */
  readonly certificateHost?: string | undefined;
  /** Default: the key certifies itself. */
  readonly issueCertificate?: IssueCertificate;
}

/** Signs notifications with the installation's own RSA key. */
export interface Signer {
  /**
   * Base64 RSA PKCS #1 v1.5 signature of the text's UTF-8: version 1 with SHA-1, 2 with SHA-256.
   * Works on the thread pool. The first one ever makes the key.
   */
  sign(version: "1" | "2", text: string): Promise<string>;
  /** Address of the present certificate; throws while nothing was signed or prepared. */
  certificateUrl(): string;
  /** Makes or loads the key ahead of need. */
  prepare(): Promise<void>;
  /** The PEM behind a request path of `certificateUrl`; undefined if it is none of ours. */
  certificateAt(path: string): Promise<string | undefined>;
}

/** AWS's name; some receivers' libraries look for it. */
const commonName = "sns.amazonaws.com";
const dayMs = 86_400_000;
const certificateDays = 3650;
const renewBeforeMs = 30 * dayMs;
const backdatedMs = 3_600_000;
const keyBits = 2048;
/** Base64 characters of every signature of that key. */
export const signatureChars = Math.ceil(keyBits / 8 / 3) * 4;
const attemptsMax = 10;

interface LoadedKey {
  readonly privateKey: KeyObject;
  readonly certificateId: string;
  readonly certificateExpiresMs: EpochMs;
}

export function createSigner<View extends RecordView>(deps: SignerDependencies<View>): Signer {
  let loaded: LoadedKey | undefined;
  let loading: Promise<LoadedKey> | undefined;

  const current = (): Promise<LoadedKey> | LoadedKey => {
    const renewMs = (loaded?.certificateExpiresMs ?? 0) - renewBeforeMs;
    if (loaded && deps.clock.now() < renewMs) return loaded;
    loading ??= loadOrMake(deps)
      .then((key) => {
        loaded = key;
        return key;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };

  return {
    async sign(version, text) {
      const { privateKey } = await current();
      const bytes = Buffer.from(text, "utf8");
      const signature = await signOnPool(version === "1" ? "sha1" : "sha256", bytes, privateKey);
      return signature.toString("base64");
    },
    certificateUrl() {
      if (!loaded) throw new Error("nothing was signed yet, so there is no certificate");
      const { certificateHost, publicUrl } = deps;
      const base = certificateHost === undefined ? publicUrl() : `https://${certificateHost}`;
      return base + certificatePath(loaded.certificateId);
    },
    async prepare() {
      await current();
    },
    async certificateAt(path) {
      const id = /^\/SimpleNotificationService-([0-9a-f]{32})\.pem$/.exec(path)?.[1];
      if (id === undefined) return undefined;
      const record = await certificates.get(deps.records.view(), installationScope, id);
      return record?.pem;
    },
  };
}

/** AWS: the form of the certificate's address. */
export function certificatePath(certificateId: string): string {
  return `/SimpleNotificationService-${certificateId}.pem`;
}

const signOnPool = (algorithm: string, bytes: Buffer, key: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign(algorithm, bytes, key, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });

/** Another thread or process may do the same at once; who commits second takes the first's key. */
async function loadOrMake<View extends RecordView>(
  deps: SignerDependencies<View>,
): Promise<LoadedKey> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await loadOrMakeOnce(deps);
    } catch (error) {
      if (!(error instanceof StaleDecision) || attempt === attemptsMax) throw error;
    }
  }
}

async function loadOrMakeOnce<View extends RecordView>(
  deps: SignerDependencies<View>,
): Promise<LoadedKey> {
  const { records, secrets, clock } = deps;
  const view = records.view();
  const record = await signingKeys.get(view, installationScope, keyName);
  if (record) {
    const privateKey = openKey(secrets, record);
    const { certificateId, certificateExpiresMs } = record;
    const fresh = clock.now() < certificateExpiresMs - renewBeforeMs;
    if (fresh) return { privateKey, certificateId, certificateExpiresMs };
    return certify(deps, view, privateKey, record.privateKey);
  }
  const { privateKey } = await makeKeyPair("rsa", { modulusLength: keyBits });
  const bytes = privateKey.export({ type: "pkcs8", format: "der" });
  const sealed = secrets.seal(bytes, sealContext);
  bytes.fill(0);
  return certify(deps, view, privateKey, sealed);
}

const makeKeyPair = promisify(generateKeyPair);

function openKey(secrets: SecretBox, { privateKey }: SigningKeyRecord): KeyObject {
  const key = secrets.open(privateKey, sealContext);
  const opened = createPrivateKey({ key, type: "pkcs8", format: "der" });
  key.fill(0);
  return opened;
}

/**
 * Gives the key a certificate and stores both. INVARIANT: renewal keeps the key, so a signature
 * holds under the certificate of before and of after.
 */
async function certify<View extends RecordView>(
  deps: SignerDependencies<View>,
  view: View,
  privateKey: KeyObject,
  sealedKey: string,
): Promise<LoadedKey> {
  const { clock, random, records, issueCertificate = issueSelfSigned } = deps;
  const notBeforeMs = clock.now() - backdatedMs;
  const serial = random.bytes(16);
  // Positive, and never with a leading zero byte.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const pem = await issueCertificate({
    publicKey: createPublicKey(privateKey),
    privateKey,
    commonName,
    serial,
    notBeforeMs,
    notAfterMs: notBeforeMs + certificateDays * dayMs,
  });
  const certificate = new X509Certificate(pem);
  const certificateId = hash("sha256", certificate.raw, "hex").slice(0, 32);
  // An authority may have chosen a shorter life.
  const certificateExpiresMs = Date.parse(certificate.validTo);
  const key = { privateKey: sealedKey, certificateId, certificateExpiresMs };
  await records.commit(view, [
    certificates.put(installationScope, certificateId, { pem }),
    signingKeys.put(installationScope, keyName, key),
  ]);
  return { privateKey, certificateId, certificateExpiresMs };
}
