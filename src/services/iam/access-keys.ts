import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import { noSuchAccessKey } from "./refusals.ts";
import {
  type AccessKeyOwner,
  type AccessKeyRecord,
  type AccountRecord,
  accessKeyContext,
  accessKeys,
  accounts,
  installation,
  type UserRecord,
  userKeyOf,
} from "./store.ts";
import { callersUserName, putUser, requireUser, rootUse, userUse } from "./users.ts";

/** Whose access keys an operation is about: a user, or the root user of the account. */
export type KeyHolder =
  | { readonly kind: "user"; readonly user: Readonly<UserRecord> }
  | { readonly kind: "root"; readonly account: Readonly<AccountRecord> };

export async function keyHolderUse(call: Call, userName: string | undefined): Promise<ResourceUse> {
  const name = userName ?? callersUserName(call);
  return name === undefined ? rootUse(call) : userUse(call, name);
}

/** Throws NoSuchEntity. */
export async function requireKeyHolder(
  call: Call,
  userName: string | undefined,
): Promise<KeyHolder> {
  const name = userName ?? callersUserName(call);
  if (name !== undefined) return { kind: "user", user: await requireUser(call, name) };
  const account = await accounts.get(call.records, installation, call.accountId);
  assert(account !== undefined, "a root caller has an account");
  return { kind: "root", account };
}

export function heldKeyIds(holder: KeyHolder): readonly string[] {
  return holder.kind === "user" ? holder.user.accessKeyIds : holder.account.rootAccessKeyIds;
}

/** undefined for root, which has no user name. */
export function holderName(holder: KeyHolder): string | undefined {
  return holder.kind === "user" ? holder.user.userName : undefined;
}

export function ownerOf(holder: KeyHolder): AccessKeyOwner {
  if (holder.kind === "root") return { kind: "root" };
  const { userName, userId } = holder.user;
  return { kind: "user", userKey: userKeyOf(userName), userId };
}

/** The command that gives a holder another list of keys. */
export function putHeldKeyIds(holder: KeyHolder, accessKeyIds: readonly string[]): Command {
  if (holder.kind === "user") return putUser({ ...holder.user, accessKeyIds });
  const account = { ...holder.account, rootAccessKeyIds: accessKeyIds };
  return accounts.put(installation, account.accountId, account);
}

/** A key of this holder. Throws NoSuchEntity for any other. */
export async function requireHeldKey(
  call: Call,
  holder: KeyHolder,
  accessKeyId: string,
): Promise<Readonly<AccessKeyRecord>> {
  const key = heldKeyIds(holder).includes(accessKeyId)
    ? await accessKeys.get(call.records, installation, accessKeyId)
    : undefined;
  if (!key) throw noSuchAccessKey(accessKeyId);
  return key;
}

/** A new active key as its record; the secret stays with the caller, who wipes it. */
export function accessKeyRecord(
  secrets: SecretBox,
  facts: Pick<AccessKeyRecord, "accessKeyId" | "accountId" | "owner" | "createdMs">,
  secretAccessKey: Uint8Array,
): AccessKeyRecord {
  const sealedSecret = secrets.seal(secretAccessKey, accessKeyContext(facts.accessKeyId));
  return { ...facts, status: "Active", sealedSecret };
}

export function putAccessKey(key: AccessKeyRecord): Command {
  return accessKeys.put(installation, key.accessKeyId, key);
}
