import { readFileSync } from "node:fs";
import { keyBytes } from "../crypto/constants.ts";
import { systemRandom } from "../crypto/random.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { Fault } from "../kernel/errors.ts";
import { type AwsCredentials, callKms } from "./aws-request.ts";
import type { AwsKmsSealSettings, HelperAnswer } from "./helper-seal.ts";
import type { StoredSeal } from "./stored.ts";

/** Tells that key's other ciphertexts apart, and shows in its audit what was opened. */
const contextName = "sealpost:installation";

interface Answer {
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly __type?: string;
  readonly message?: string;
}

/**
 * The root key as a data key of another KMS that speaks the AWS wire. Runs in the helper.
 *
 * Throws Fault `seal-unavailable` if that KMS cannot be reached or says no, `root-key-wrong` if its
 * key did not seal this root key.
 */
export async function openAwsKms(
  settings: AwsKmsSealSettings,
  credentials: AwsCredentials | undefined,
  stored: StoredSeal | undefined,
  nowMs: EpochMs,
): Promise<HelperAnswer> {
  if (credentials === undefined) {
    throw new Fault(
      "seal-unavailable",
      "the seal aws-kms needs SEALPOST_SEAL_AWS_ACCESS_KEY_ID and " +
        "SEALPOST_SEAL_AWS_SECRET_ACCESS_KEY",
    );
  }
  const ask = (operation: string, input: object) =>
    askKms(settings, credentials, nowMs, operation, input);
  if (stored === undefined) return makeRoot(settings, ask);
  if (stored.kind !== "aws-kms") throw new Fault("root-key-damaged", "the seal is not a KMS's");
  const { Plaintext } = await ask("Decrypt", {
    CiphertextBlob: stored.blob,
    KeyId: settings.keyId,
    EncryptionContext: { [contextName]: stored.installation },
  });
  return { rootKey: rootKeyOf(Plaintext), stored };
}

type Ask = (operation: string, input: object) => Promise<Answer>;

async function makeRoot({ keyId }: AwsKmsSealSettings, ask: Ask): Promise<HelperAnswer> {
  const installation = systemRandom.uuid();
  const { Plaintext, CiphertextBlob = "" } = await ask("GenerateDataKey", {
    KeyId: keyId,
    KeySpec: "AES_256",
    EncryptionContext: { [contextName]: installation },
  });
  const stored = { kind: "aws-kms", blob: CiphertextBlob, installation } as const;
  return { rootKey: rootKeyOf(Plaintext), stored };
}

/** The text of an answer cannot be wiped; the helper ends right after. */
function rootKeyOf(plaintext: string | undefined): Buffer {
  const rootKey = Buffer.from(plaintext ?? "", "base64");
  if (rootKey.length === keyBytes) return rootKey;
  throw new Fault("root-key-damaged", "the KMS answered with something that is no root key");
}

async function askKms(
  settings: AwsKmsSealSettings,
  credentials: AwsCredentials,
  nowMs: EpochMs,
  operation: string,
  input: object,
): Promise<Answer> {
  const { endpoint, region, caFile } = settings;
  const where = `the KMS at ${endpoint}`;
  let answer: Answer;
  let status: number;
  try {
    const ca = caFile === undefined ? undefined : readFileSync(caFile, "utf8");
    const body = JSON.stringify(input);
    const reply = await callKms({ endpoint, region, credentials, ca, operation, body, nowMs });
    status = reply.status;
    answer = JSON.parse(reply.body.toString("utf8"));
    reply.body.fill(0);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Fault("seal-unavailable", `${where} cannot be used: ${why}`, { cause: error });
  }
  if (status === 200) return answer;
  const code = answer.__type?.split("#").at(-1) ?? `status ${status}`;
  const wrong = code === "InvalidCiphertextException" || code === "IncorrectKeyException";
  if (wrong) throw new Fault("root-key-wrong", `${where} does not open this data folder: ${code}`);
  throw new Fault("seal-unavailable", `${where} refuses: ${code} ${answer.message ?? ""}`.trim());
}
