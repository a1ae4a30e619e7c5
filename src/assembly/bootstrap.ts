import { timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { credentialsPath, writeCredentialsFile } from "../cli/credentials-file.ts";
import type { RootCredentials } from "../config.ts";
import { formatArn } from "../kernel/arn.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { KeyVault } from "../kernel/keyvault.ts";
import type { Log } from "../kernel/log.ts";
import type { Credentials } from "../kernel/policy.ts";
import type { Random } from "../kernel/random.ts";
import { recordKind } from "../kernel/records.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import type { OwnedKey } from "../sealing/data-key-sources.ts";
import { createRootCredential } from "../services/iam/root.ts";
import { accounts, installation } from "../services/iam/store.ts";
import type { RecordCache } from "../state/record-cache.ts";
import { change } from "./change.ts";
import { StartError } from "./start-error.ts";

export interface FirstStart {
  readonly records: RecordCache;
  readonly secrets: SecretBox;
  readonly credentials: Credentials;
  readonly random: Random;
  readonly nowMs: EpochMs;
  readonly dataFolder: string;
  readonly accountId: string;
  /** From SEALPOST_ROOT_ACCESS_KEY_ID and SEALPOST_ROOT_SECRET_ACCESS_KEY. */
  readonly given: RootCredentials | undefined;
  readonly log: Log;
}

/**
 * Makes the operator account with its root credentials, or checks that given ones are the stored
 * ones. `DIR/credentials` is written once; the server works after it is deleted.
 */
export async function ensureOperatorAccount(start: FirstStart): Promise<void> {
  const { records, accountId, given } = start;
  const view = records.view();
  if (await accounts.get(view, installation, accountId)) {
    if (given) await checkGiven(start, given);
    return;
  }
  const root = createRootCredential(start, {
    accountId,
    name: "operator",
    nowMs: start.nowMs,
    given,
  });
  // Written first: a crash in between leaves a file that the next start replaces, never an account
  // whose credentials nobody knows.
  writeCredentialsFile(start.dataFolder, root);
  await records.commit(view, root.commands);
  start.log.info("made the operator account", { accountId, accessKeyId: root.accessKeyId });
}

async function checkGiven(start: FirstStart, given: RootCredentials): Promise<void> {
  const stored = await start.credentials.find(start.records.view(), given.accessKeyId);
  const secret = Buffer.from(given.secretAccessKey);
  const same =
    typeof stored === "object" &&
    stored.caller.kind === "root" &&
    stored.secretAccessKey.length === secret.length &&
    timingSafeEqual(stored.secretAccessKey, secret);
  secret.fill(0);
  if (!same) {
    const where = existsSync(credentialsPath(start.dataFolder)) ? "; see DIR/credentials" : "";
    throw new StartError(
      "SEALPOST_ROOT_ACCESS_KEY_ID and SEALPOST_ROOT_SECRET_ACCESS_KEY are not the root " +
        `credentials that this data folder was made with${where}`,
    );
  }
}

interface OwnedKeyRecord {
  readonly keyId: string;
  readonly materialId: string;
  /** base64 */
  readonly wrapped: string;
}

const ownedKeys = recordKind<OwnedKeyRecord>("installation.key", "installation");

/** Hidden account of keys that belong to the installation: AWS owned keys have one as well. */
const hiddenAccountId = "000000000000";

/** The key behind SSE-SQS, or the one behind resources that asked for no encryption. */
export async function ensureOwnedKey(
  records: RecordCache,
  vault: KeyVault,
  random: Random,
  name: "sqs-owned" | "installation" | "trails",
): Promise<OwnedKey> {
  // Decided again where another process changed something: that one may have made the key.
  const { record } = await change(records, async (view) => {
    const stored = await ownedKeys.get(view, installation, name);
    const record = stored ?? (await createOwnedKey(vault, random));
    return { record, commands: stored ? [] : [ownedKeys.put(installation, name, record)] };
  });
  const { keyId, materialId } = record;
  return {
    accountId: hiddenAccountId,
    keyId,
    arn: formatArn("kms", "", hiddenAccountId, `key/${keyId}`),
    material: { materialId, wrapped: Buffer.from(record.wrapped, "base64") },
  };
}

async function createOwnedKey(vault: KeyVault, random: Random): Promise<OwnedKeyRecord> {
  const keyId = random.uuid();
  const material = await vault.createMaterial({ accountId: hiddenAccountId, keyId });
  return {
    keyId,
    materialId: material.materialId,
    wrapped: Buffer.from(material.wrapped).toString("base64"),
  };
}
