import { parseArn } from "../../kernel/arn.ts";
import type { Caller } from "../../kernel/caller.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Credential, Credentials, Principals } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import type { SessionTokens } from "../../kernel/session.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { roleArn } from "./role-arns.ts";
import { sessionCaller } from "./session-callers.ts";
import {
  type AccessKeyRecord,
  accessKeyContext,
  accessKeys,
  accountScope,
  installation,
  nameKey,
  roles,
  serviceCredentials,
  users,
} from "./store.ts";
import { rootArn, userArn } from "./users.ts";

export { identityPolicies } from "./identity-policies.ts";

export interface CredentialsDependencies {
  readonly secrets: SecretBox;
  readonly sessions: Pick<SessionTokens, "open">;
  /** Tokens and service credentials expire by it. */
  readonly systemClock: Pick<Clock, "now">;
}

/**
 * Access keys for the authenticator. A secret is opened once for each record: record objects stay
 * the same until they change, so the cache ends with them.
 */
export function createCredentials(deps: CredentialsDependencies): Credentials {
  const opened = new WeakMap<object, Buffer>();
  const known = new WeakMap<object, { readonly owner: object; readonly credential: Credential }>();
  const secretOf = (key: Readonly<AccessKeyRecord>): Buffer => {
    let secret = opened.get(key);
    if (secret === undefined) {
      secret = deps.secrets.open(key.sealedSecret, accessKeyContext(key.accessKeyId));
      opened.set(key, secret);
    }
    return secret;
  };
  const credentialOf = (key: Readonly<AccessKeyRecord>, owner: Owner | undefined) => {
    if (owner === undefined || isOver(owner.record, deps.systemClock.now())) return undefined;
    const cached = known.get(key);
    if (cached && cached.owner === owner.record) return cached.credential;
    const credential = { caller: owner.caller(), secretAccessKey: secretOf(key) };
    known.set(key, { owner: owner.record, credential });
    return credential;
  };
  const findKey = (view: RecordView, accessKeyId: string): Soon<Credential | undefined> =>
    soon(accessKeys.get(view, installation, accessKeyId), (key) =>
      key?.status === "Active"
        ? soon(ownerOf(view, key), (owner) => credentialOf(key, owner))
        : undefined,
    );
  const findSession = async (view: RecordView, accessKeyId: string, sessionToken: string) => {
    const session = deps.sessions.open(accessKeyId, sessionToken);
    if (session === undefined) return undefined;
    if (session.claims.expiresMs <= deps.systemClock.now()) return "expired";
    const caller = await sessionCaller(view, accessKeyId, session);
    return caller && { caller, secretAccessKey: session.secretAccessKey };
  };
  return {
    find(view, accessKeyId, sessionToken) {
      // A session token belongs to temporary keys; a long-term key never has one.
      if (accessKeyId.startsWith("ASIA") !== (sessionToken !== undefined)) return undefined;
      return sessionToken === undefined
        ? findKey(view, accessKeyId)
        : findSession(view, accessKeyId, sessionToken);
    },
  };
}

interface Owner {
  /** The record whose change makes another caller. */
  readonly record: object;
  caller(): Caller;
}

const rootRecord = {};

function ownerOf(view: RecordView, key: Readonly<AccessKeyRecord>): Soon<Owner | undefined> {
  const { accountId, accessKeyId, owner } = key;
  switch (owner.kind) {
    case "root":
      return {
        record: rootRecord,
        caller: () => ({
          kind: "root",
          accountId,
          arn: rootArn(accountId),
          principalId: accountId,
          accessKeyId,
        }),
      };
    case "service":
      return soon(serviceCredentials.get(view, installation, accessKeyId), (record) => {
        if (!record) return undefined;
        const { service, sourceArn, sourceAccountId } = record;
        return {
          record,
          caller: () => ({ kind: "service", service, sourceArn, sourceAccountId, accessKeyId }),
        };
      });
    case "user":
      return soon(users.get(view, accountScope(accountId), owner.userKey), (user) => {
        // A recreated user of the same name is another one.
        if (user?.userId !== owner.userId) return undefined;
        const { userName, userId: principalId, tags } = user;
        const arn = userArn(user);
        return {
          record: user,
          caller: () => {
            return { kind: "user", accountId, arn, principalId, accessKeyId, userName, tags };
          },
        };
      });
  }
}

function isOver(record: { readonly expiresMs?: number }, nowMs: number): boolean {
  return record.expiresMs !== undefined && record.expiresMs <= nowMs;
}

/** User and role ARNs to unique ids. The whole ARN must fit, path and letter case included. */
export const principals: Principals = {
  async resolve(view, arn) {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam") return undefined;
    const scope = accountScope(parsed.accountId);
    const name = parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1);
    if (parsed.resource.startsWith("user/")) {
      const user = await users.get(view, scope, nameKey(name));
      return user && userArn(user) === arn ? user.userId : undefined;
    }
    if (!parsed.resource.startsWith("role/")) return undefined;
    const role = await roles.get(view, scope, nameKey(name));
    return role && roleArn(role) === arn ? role.roleId : undefined;
  },
};

/** The account that an access key belongs to, for sts:GetAccessKeyInfo. */
export async function accountOfAccessKey(
  view: RecordView,
  accessKeyId: string,
): Promise<string | undefined> {
  return (await accessKeys.get(view, installation, accessKeyId))?.accountId;
}
