import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { accessKeyRecord, putAccessKey } from "./access-keys.ts";
import type { IamDependencies } from "./dependencies.ts";
import { newAccessKeyId, newSecretAccessKey } from "./identifiers.ts";
import { accounts, installation } from "./store.ts";

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
