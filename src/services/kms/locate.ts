import { parseArn, partition } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { newPlace } from "../../kernel/kept.ts";
import type { RecordScope, RecordView } from "../../kernel/records.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { type FoundKey, foundKey } from "./found.ts";
import { aliasArn, keyArn } from "./keys.ts";
import { createsManagedKey, isReservedAlias, managedKey } from "./managed.ts";
import { foreignKeyDenied, notFound } from "./refusals.ts";
import { aliases, type KeyRecord, keys } from "./store.ts";

/** Which forms of KeyId an operation takes: all four, or key id and key ARN only. */
export type KeyForms = "any" | "key";

/** Another account's key that is not there: authorisation, not existence, is what they learn. */
export interface HiddenKey {
  readonly found: false;
  readonly arn: string;
  readonly accountId: string;
}

/** What a KeyId says, before anything is looked up. */
interface KeyName extends RecordScope {
  readonly keyId?: string;
  readonly alias?: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const multiRegionId = /^mrk-[0-9a-f]{32}$/i;

/**
 * Finds the key that a KeyId names. Unqualified names belong to the caller's account.
 *
 * Throws NotFoundException where the caller's own account has no such key, for a malformed id and
 * for an ARN of another region (AWS: authorisation comes later).
 */
export function locateKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
  forms: KeyForms = "any",
): Soon<FoundKey | HiddenKey> {
  return soon(lookUpKey(dependencies, call, keyId, forms), (located) =>
    rememberKey(call, keyId, located),
  );
}

/** What a call has found by a name (a KeyId, or the blob that names its key). */
interface Remembered {
  readonly name: string | Uint8Array;
  readonly located: FoundKey | HiddenKey;
}

const remembered = newPlace<Remembered>();

/** INVARIANT: what was authorised is what is used, in one attempt at a call. */
export function rememberKey<T extends FoundKey | HiddenKey>(
  call: Call,
  name: string | Uint8Array,
  located: T,
): T {
  remembered.keep(call, { name, located });
  return located;
}

/** What this call found last, if it was by this name. */
export function rememberedKey(
  call: Call,
  name: string | Uint8Array,
): FoundKey | HiddenKey | undefined {
  const latest = remembered.find(call);
  return latest?.name === name ? latest.located : undefined;
}

function lookUpKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
  forms: KeyForms,
): Soon<FoundKey | HiddenKey> {
  const name = parseKeyName(call, keyId, forms);
  return soon(findKey(dependencies, call, name), (key) =>
    key ? foundKey(call, key, name.alias) : hiddenKey(call, name),
  );
}

/** Throws NotFoundException in the caller's own account. */
function hiddenKey(call: Call, name: KeyName): HiddenKey {
  const arn =
    name.alias === undefined
      ? keyArn({ ...name, keyId: name.keyId ?? "" })
      : aliasArn(name, name.alias);
  if (name.accountId !== call.accountId) return { found: false, arn, accountId: name.accountId };
  throw notFound(
    name.alias === undefined ? `Key '${arn}' does not exist` : `Alias ${arn} is not found.`,
  );
}

/** As `locateKey`, for what comes after authorisation, where a hidden key cannot be let through. */
export function requireKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
  forms: KeyForms = "any",
): Soon<FoundKey> {
  const known = rememberedKey(call, keyId);
  return soon(known ?? locateKey(dependencies, call, keyId, forms), (located) => {
    if (!located.found) throw notFound(`Key '${located.arn}' does not exist`);
    return located;
  });
}

/**
 * A key of the caller's account, for operations that AWS does not offer across accounts. Another
 * account's key is denied whatever its policy says.
 */
export function requireOwnKey(
  dependencies: KmsDependencies,
  call: Call,
  keyId: string,
): Soon<FoundKey> {
  return soon(locateKey(dependencies, call, keyId, "key"), (located) => {
    if (!located.found || located.key.accountId !== call.accountId) {
      throw foreignKeyDenied(call, `kms:${call.operation}`, located.arn);
    }
    return located;
  });
}

function parseKeyName(call: Call, keyId: string, forms: KeyForms): KeyName {
  const own = { accountId: call.accountId, region: call.region };
  const invalid = () => notFound(`Invalid keyId '${keyId}'`);
  if (!keyId.startsWith("arn:")) {
    if (isKeyId(keyId)) return { ...own, keyId: keyId.toLowerCase() };
    if (forms === "any" && keyId.startsWith("alias/")) return { ...own, alias: keyId };
    throw invalid();
  }
  const arn = parseArn(keyId);
  // AWS?: text for an ARN that is none of KMS.
  if (arn?.service !== "kms" || arn.partition !== partition) {
    throw notFound(`Invalid arn ${keyId}`);
  }
  if (arn.region !== call.region) throw notFound(`Invalid arn ${arn.region}`);
  const scope = { accountId: arn.accountId, region: arn.region };
  if (arn.resource.startsWith("alias/")) {
    if (forms !== "any") throw invalid();
    return { ...scope, alias: arn.resource };
  }
  const bareId = arn.resource.startsWith("key/") ? arn.resource.slice(4) : "";
  if (!isKeyId(bareId)) throw invalid();
  return { ...scope, keyId: bareId.toLowerCase() };
}

export function isKeyId(text: string): boolean {
  return uuid.test(text) || multiRegionId.test(text);
}

/** Whether the key behind an ARN is no more. An ARN that names no key is not known to be gone. */
export async function isKeyGone(records: RecordView, arn: string): Promise<boolean> {
  const { service, accountId = "", region = "", resource = "" } = parseArn(arn) ?? {};
  if (service !== "kms" || !resource.startsWith("key/")) return false;
  return (await keys.get(records, { accountId, region }, resource.slice(4))) === undefined;
}

function findKey(
  dependencies: KmsDependencies,
  call: Call,
  name: KeyName,
): Soon<Readonly<KeyRecord> | undefined> {
  const { alias } = name;
  if (alias === undefined) return keys.get(call.records, name, name.keyId ?? "");
  return soon(aliases.get(call.records, name, alias), (record) => {
    if (record) return keys.get(call.records, name, record.targetKeyId);
    if (isReservedAlias(alias) && createsManagedKey(call, alias, name.accountId)) {
      return managedKey(dependencies, call, name, alias);
    }
    return undefined;
  });
}
