import type { Command } from "../../kernel/command.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Random } from "../../kernel/random.ts";
import type { RecordView } from "../../kernel/records.ts";
import { type AccountRecord, accounts, installation } from "./store.ts";

/** What an operator did wrong, in words of the server's own API. */
export function operatorError(
  code: "InvalidRequest" | "NotFound" | "Conflict",
  text: string,
): Refusal {
  const status = { InvalidRequest: 400, NotFound: 404, Conflict: 409 }[code];
  return new Refusal(code, text, { status });
}

export async function listAccounts(view: RecordView): Promise<readonly Readonly<AccountRecord>[]> {
  return (await accounts.list(view, installation)).map(({ value }) => value);
}

/** Throws NotFound. */
export async function requireAccount(
  view: RecordView,
  accountId: string,
): Promise<Readonly<AccountRecord>> {
  const account = await accounts.get(view, installation, accountId);
  if (!account) throw operatorError("NotFound", `there is no account ${accountId}`);
  return account;
}

export function putAccount(account: AccountRecord): Command {
  return accounts.put(installation, account.accountId, account);
}

/**
 * A name nobody has, and an id that is free: 12 digits at random. Throws InvalidRequest,
 * Conflict.
 */
export async function newAccountId(
  view: RecordView,
  random: Random,
  name: string,
): Promise<string> {
  if (!/^[\w .@+-]{1,64}$/.test(name)) {
    throw operatorError(
      "InvalidRequest",
      "an account's name has 1 to 64 letters, digits, blanks or any of . @ + - _",
    );
  }
  const all = await listAccounts(view);
  if (all.some((account) => account.name.toLowerCase() === name.toLowerCase())) {
    throw operatorError("Conflict", `there is an account named ${name} already`);
  }
  const taken = new Set(all.map(({ accountId }) => accountId));
  for (;;) {
    const digits = random.bytes(8).readBigUInt64BE() % 900_000_000_000n;
    const accountId = String(100_000_000_000n + digits);
    if (!taken.has(accountId)) return accountId;
  }
}
