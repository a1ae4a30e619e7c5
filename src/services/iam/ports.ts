import { parseArn } from "../../kernel/arn.ts";
import type { Caller } from "../../kernel/caller.ts";
import type { Credential, Credentials, IdentityPolicies, Principals } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { SecretBox } from "../../kernel/secrets.ts";
import {
  type AccessKeyRecord,
  accessKeyContext,
  accessKeys,
  accountScope,
  installation,
  type UserRecord,
  userKeyOf,
  users,
} from "./store.ts";
import { rootArn, userArn } from "./users.ts";

/**
 * Access keys for the authenticator. A secret is opened once for each record: record objects stay
 * the same until they change, so the cache ends with them.
 */
export function createCredentials(secrets: SecretBox): Credentials {
  const opened = new WeakMap<object, Buffer>();
  const known = new WeakMap<object, KnownCredential>();
  const secretOf = (key: Readonly<AccessKeyRecord>): Buffer => {
    let secret = opened.get(key);
    if (secret === undefined) {
      secret = secrets.open(key.sealedSecret, accessKeyContext(key.accessKeyId));
      opened.set(key, secret);
    }
    return secret;
  };
  return {
    async find(view, accessKeyId) {
      const key = await accessKeys.get(view, installation, accessKeyId);
      if (key?.status !== "Active") return undefined;
      const user = key.owner.kind === "user" ? await ownerRecord(view, key) : undefined;
      if (key.owner.kind === "user" && user === undefined) return undefined;
      const cached = known.get(key);
      if (cached && cached.user === user) return cached.credential;
      const credential = { caller: callerOf(key, user), secretAccessKey: secretOf(key) };
      known.set(key, { user, credential });
      return credential;
    },
  };
}

interface KnownCredential {
  readonly user: Readonly<UserRecord> | undefined;
  readonly credential: Credential;
}

/** The user of a key; a recreated user of the same name is another one. */
async function ownerRecord(
  view: RecordView,
  key: Readonly<AccessKeyRecord>,
): Promise<Readonly<UserRecord> | undefined> {
  if (key.owner.kind !== "user") return undefined;
  const user = await users.get(view, accountScope(key.accountId), key.owner.userKey);
  return user?.userId === key.owner.userId ? user : undefined;
}

function callerOf(key: Readonly<AccessKeyRecord>, user: Readonly<UserRecord> | undefined): Caller {
  const { accountId, accessKeyId } = key;
  if (!user) {
    const arn = rootArn(accountId);
    return { kind: "root", accountId, arn, principalId: accountId, accessKeyId };
  }
  return {
    kind: "user",
    accountId,
    arn: userArn(user),
    principalId: user.userId,
    accessKeyId,
    userName: user.userName,
    tags: user.tags,
  };
}

/** Inline policies of users. The root user has none: it needs none. */
export const identityPolicies: IdentityPolicies = {
  async of(view, caller) {
    if (caller.kind !== "user") return [];
    const scope = accountScope(caller.accountId);
    const user = await users.get(view, scope, userKeyOf(caller.userName));
    return user?.userId === caller.principalId ? user.policies : [];
  },
};

/** User ARNs to unique ids. The whole ARN must fit, path and letter case included. */
export const principals: Principals = {
  async resolve(view, arn) {
    const parsed = parseArn(arn);
    if (parsed?.service !== "iam" || !parsed.resource.startsWith("user/")) return undefined;
    const userName = parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1);
    const user = await users.get(view, accountScope(parsed.accountId), userKeyOf(userName));
    return user && userArn(user) === arn ? user.userId : undefined;
  },
};

/** The account that an access key belongs to, for sts:GetAccessKeyInfo. */
export async function accountOfAccessKey(
  view: RecordView,
  accessKeyId: string,
): Promise<string | undefined> {
  return (await accessKeys.get(view, installation, accessKeyId))?.accountId;
}
