import type { Call } from "../../kernel/call.ts";
import { assert } from "../../kernel/errors.ts";
import type { KmsDependencies } from "./dependencies.ts";
import type { FoundKey } from "./found.ts";
import { aliasArn } from "./keys.ts";
import { requireOwnKey } from "./locate.ts";
import { isReservedAlias } from "./managed.ts";
import { notFound, refuse, validation } from "./refusals.ts";
import { type AliasRecord, aliases, type KeyRecord, keys } from "./store.ts";

const aliasesPerKeyMax = 50;

/** Throws ValidationException or NotAuthorizedException for a name that cannot be made. */
export function requireNewAliasName(name: string): void {
  if (!name.startsWith("alias/")) {
    throw validation(
      'Alias must start with the prefix "alias/". Please see ' +
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
    );
  }
  requireUnreserved(name);
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    throw validation(`${name} contains invalid characters for an alias`);
  }
}

/** An alias of the caller's account that may be changed, with the key it points to. */
export async function requireAlias(
  call: Call,
  name: string,
): Promise<{ alias: Readonly<AliasRecord>; target: Readonly<KeyRecord> }> {
  if (!name.startsWith("alias/")) throw validation("Invalid identifier");
  requireUnreserved(name);
  const alias = await aliases.get(call.records, call, name);
  if (!alias) throw notFound(`Alias ${aliasArn(call, name)} is not found.`);
  const target = await keys.get(call.records, call, alias.targetKeyId);
  assert(target !== undefined, "an alias points to a key");
  return { alias, target };
}

/** The key that an alias is to point to: a key of the caller's own account, by id or ARN. */
export async function requireTargetKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
): Promise<FoundKey> {
  if (keyId.startsWith("alias/") || /^arn:[^:]*:kms:[^:]*:[^:]*:alias\//.test(keyId)) {
    throw validation("Aliases must refer to keys. Not aliases");
  }
  return requireOwnKey(dependencies, call, keyId);
}

/** Throws LimitExceededException at the fifty-first alias. */
export function withAlias(key: Readonly<KeyRecord>, name: string): KeyRecord {
  if (key.aliases.length >= aliasesPerKeyMax) {
    // AWS?: no recorded text.
    throw refuse("LimitExceededException", `A key can have up to ${aliasesPerKeyMax} aliases.`);
  }
  return { ...key, aliases: [...key.aliases, name] };
}

export function withoutAlias(key: Readonly<KeyRecord>, name: string): KeyRecord {
  return { ...key, aliases: key.aliases.filter((alias) => alias !== name) };
}

/** AWS: `alias/aws/…` belongs to AWS; the refusal has no message. */
function requireUnreserved(name: string): void {
  if (isReservedAlias(name)) throw refuse("NotAuthorizedException", "");
}
