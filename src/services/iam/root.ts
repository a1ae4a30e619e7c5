import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import type { RecordView } from "../../kernel/records.ts";
import { accessKeyRecord, putAccessKey } from "./access-keys.ts";
import { operatorError, putAccount } from "./accounts.ts";
import type { IamDependencies } from "./dependencies.ts";
import { newAccessKeyId, newSecretAccessKey } from "./identifiers.ts";
import { type AccountRecord, accessKeys, accounts, installation, users } from "./store.ts";

export interface NewAccount {
  /** Twelve digits. */
  readonly accountId: string;
  readonly name: string;
  readonly nowMs: EpochMs;
  /** The root credentials to take; random ones where absent. */
  readonly given?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface RootCredential {
  readonly accountId: string;
  readonly accessKeyId: string;
  /** Shown once; only its sealed form is kept. */
  readonly secretAccessKey: string;
  /** The account and its root access key, to be committed together. */
  readonly commands: readonly Command[];
}

/** Makes an account with one access key of its root user. */
export function createRootCredential(
  dependencies: Pick<IamDependencies, "random" | "secrets">,
  account: NewAccount,
): RootCredential {
  const { accountId, name, nowMs, given } = account;
  const accessKeyId = given?.accessKeyId ?? newAccessKeyId(dependencies.random);
  const secret = given
    ? Buffer.from(given.secretAccessKey)
    : newSecretAccessKey(dependencies.random);
  const facts = { accessKeyId, accountId, owner: { kind: "root" }, createdMs: nowMs } as const;
  const key = accessKeyRecord(dependencies.secrets, facts, secret);
  const secretAccessKey = secret.toString();
  secret.fill(0);
  const record = { accountId, name, createdMs: nowMs, rootAccessKeyIds: [accessKeyId] };
  return {
    accountId,
    accessKeyId,
    secretAccessKey,
    commands: [accounts.put(installation, accountId, record), putAccessKey(key)],
  };
}

/**
 * Gives root of an account another access key: every key it had is gone, and sessions made with
 * them are over.
 */
export function rotateRoot(
  dependencies: Pick<IamDependencies, "random" | "secrets">,
  account: Readonly<AccountRecord>,
  nowMs: EpochMs,
): RootCredential {
  const { accountId, name } = account;
  const root = createRootCredential(dependencies, { accountId, name, nowMs });
  const rootAccessKeyIds = [root.accessKeyId];
  const gone = account.rootAccessKeyIds.map((id) => accessKeys.remove(installation, id));
  const changed = { ...account, rootAccessKeyIds, rootSessionsAfterMs: nowMs };
  const [, putKey] = root.commands;
  return { ...root, commands: [...gone, putAccount(changed), ...(putKey ? [putKey] : [])] };
}

/**
 * Takes root of an account all its access keys. Throws Conflict while nobody else could sign: an
 * IAM user with an active key must be there first.
 */
export async function disableRoot(
  view: RecordView,
  account: Readonly<AccountRecord>,
  nowMs: EpochMs,
): Promise<readonly Command[]> {
  if (!(await hasActiveUser(view, account.accountId))) {
    throw operatorError(
      "Conflict",
      "no IAM user of the account has an active access key: make one who may go on first",
    );
  }
  const gone = account.rootAccessKeyIds.map((id) => accessKeys.remove(installation, id));
  return [...gone, putAccount({ ...account, rootAccessKeyIds: [], rootSessionsAfterMs: nowMs })];
}

async function hasActiveUser(view: RecordView, accountId: string): Promise<boolean> {
  for (const { value } of await users.list(view, { accountId, region: "" })) {
    for (const accessKeyId of value.accessKeyIds) {
      const key = await accessKeys.get(view, installation, accessKeyId);
      if (key?.status === "Active") return true;
    }
  }
  return false;
}
