import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { grantRecordId, isGrantId, principalDigest } from "./grants.ts";
import { notFound, refuse } from "./refusals.ts";
import { type GrantRecord, grants, installationScope, type KeyRecord, retirable } from "./store.ts";

/** What makes a grant: its record, and where ListRetirableGrants finds it. */
export function putGrant(key: Readonly<KeyRecord>, grant: GrantRecord): readonly Command[] {
  const put = grants.put(key, grantRecordId(key.keyId, grant.grantId), grant);
  if (grant.retiringPrincipal === undefined) return [put];
  const { accountId, keyId } = key;
  const id = retirableId(key, grant.grantId, grant.retiringPrincipal);
  return [put, retirable.put(installationScope, id, { accountId, keyId, grantId: grant.grantId })];
}

export function removeGrant(
  key: Readonly<KeyRecord>,
  grant: Readonly<GrantRecord>,
): readonly Command[] {
  const remove = grants.remove(key, grantRecordId(key.keyId, grant.grantId));
  if (grant.retiringPrincipal === undefined) return [remove];
  const id = retirableId(key, grant.grantId, grant.retiringPrincipal);
  return [remove, retirable.remove(installationScope, id)];
}

/** Begin of the ids of all grants in a region that a principal may retire. */
export function retirablePrefix(region: string, retiringPrincipal: string): string {
  return `${region}|${principalDigest(retiringPrincipal)}|`;
}

function retirableId(
  { accountId, region, keyId }: Readonly<KeyRecord>,
  grantId: string,
  retiringPrincipal: string,
): string {
  return `${retirablePrefix(region, retiringPrincipal)}${accountId}|${keyId}|${grantId}`;
}

/** The key with one grant more or less; no count stands for none. */
export function withGrantCount(key: Readonly<KeyRecord>, by: 1 | -1): KeyRecord {
  const { grantCount = 0, ...rest } = key;
  const count = grantCount + by;
  return count > 0 ? { ...rest, grantCount: count } : rest;
}

/** Throws InvalidGrantIdException, NotFoundException. AWS?: which when, and the texts. */
export async function requireGrant(
  call: Pick<Call, "records">,
  key: Readonly<KeyRecord>,
  grantId: string,
): Promise<Readonly<GrantRecord>> {
  if (!isGrantId(grantId)) throw refuse("InvalidGrantIdException", "The grant ID is not valid.");
  const grant = await grants.get(call.records, key, grantRecordId(key.keyId, grantId));
  if (!grant) throw notFound(`Grant ID ${grantId} not found`);
  return grant;
}
