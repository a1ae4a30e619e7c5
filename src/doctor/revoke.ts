import { type Caller, requesterId } from "../kernel/caller.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { accounts, installation } from "../services/iam/store.ts";
import { keys } from "../services/kms/store.ts";
import type { Inquiry } from "./inquiry.ts";
import { keyOfPlace, type UsableKey } from "./keys.ts";
import { type KeyRight, rightsOfPerson } from "./who.ts";
import { nameOf } from "./words.ts";

/** A data key in a cache of the server: in use until a time, whatever policies say meanwhile. */
export interface HeldKey {
  readonly use: "seal" | "open";
  readonly resourceArn: string;
  readonly keyArn: string;
  readonly requester: string;
  readonly untilMs: EpochMs;
}

export interface RevokeAnswer {
  readonly principal: string;
  /** What it may do with keys of the region now, and the statements that must go for it to end. */
  readonly rights: readonly (KeyRight & { readonly key: string })[];
  /** Grants of keys of the region: they allow until they are revoked or retired. */
  readonly grants: readonly {
    readonly key: string;
    readonly grantId: string;
    readonly operations: readonly string[];
  }[];
  /** Bodies that it could still seal or open, without the KMS being asked, if every right ended now. */
  readonly open: readonly {
    /** `seal`: publish and send; `open`: receive. */
    readonly use: "seal" | "open";
    readonly resource: string;
    readonly key: string;
    /** `after` this time the KMS decides again. */
    readonly until: string;
  }[];
  /** When nothing is open any longer; null: nothing is. */
  readonly openUntil: string | null;
}

/**
 * What a principal holds, and what would stay open if its rights were taken away now. Rights to
 * topics and queues end with the next call: no decision of theirs is kept. Data keys of SSE-KMS are
 * reused for their period, as AWS does; disabling the key does not end that, destroying its
 * material does.
 */
export async function revoked(
  inquiry: Inquiry,
  region: string,
  caller: Caller,
  held: readonly HeldKey[],
): Promise<RevokeAnswer> {
  const rights: RevokeAnswer["rights"][number][] = [];
  const grants: RevokeAnswer["grants"][number][] = [];
  for (const key of await keysOf(inquiry, region)) {
    const own = await rightsOfPerson(inquiry, key, caller);
    rights.push(...own.map((right) => ({ key: key.arn, ...right })));
    for (const { grantId, granteePrincipal, operations } of key.grants ?? []) {
      if (isGrantee(granteePrincipal, caller)) grants.push({ key: key.arn, grantId, operations });
    }
  }
  const mine = held.filter(({ requester }) => isOf(requester, caller));
  const open = mine
    .toSorted((one, other) => other.untilMs - one.untilMs)
    .map(({ use, resourceArn, keyArn, untilMs }) => ({
      ...{ use, resource: resourceArn, key: keyArn },
      until: new Date(untilMs).toISOString(),
    }));
  return { principal: nameOf(caller), rights, grants, open, openUntil: open[0]?.until ?? null };
}

async function keysOf({ view }: Inquiry, region: string): Promise<readonly UsableKey[]> {
  const found: UsableKey[] = [];
  for (const { id: accountId } of await accounts.list(view, installation)) {
    const scope = { accountId, region };
    for (const { id } of await keys.list(view, scope)) {
      const key = await keyOfPlace(view, scope, id);
      if (key.found) found.push(key);
    }
  }
  return found;
}

/** A grant may name a role, of which the caller is a session. */
function isGrantee(granteePrincipal: string, caller: Caller): boolean {
  const own = nameOf(caller);
  if (granteePrincipal === own) return true;
  return caller.kind === "role-session" && granteePrincipal === caller.roleArn;
}

/** Sessions of a role share data keys unless a policy, tags or an endpoint tell them apart. */
function isOf(requester: string, caller: Caller): boolean {
  const own =
    caller.kind === "role-session" ? `${caller.accountId}|${caller.roleId}|` : requesterId(caller);
  return requester === own || requester.startsWith(own.endsWith("|") ? own : `${own}|`);
}
