import type { AttachedPermissionsBoundary, User } from "@aws-sdk/client-iam";
import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { noSuchUser, validationError } from "./refusals.ts";
import { accountScope, type UserRecord, userKeyOf, users } from "./store.ts";
import { shownTags, tagContext } from "./tags.ts";

export function userArn(user: {
  readonly accountId: string;
  readonly path: string;
  readonly userName: string;
}): string {
  return formatArn("iam", "", user.accountId, `user${user.path}${user.userName}`);
}

export function rootArn(accountId: string): string {
  return formatArn("iam", "", accountId, "root");
}

export function findUser(call: Call, userName: string): Soon<Readonly<UserRecord> | undefined> {
  return users.get(call.records, accountScope(call.accountId), userKeyOf(userName));
}

/** Throws NoSuchEntity. */
export async function requireUser(call: Call, userName: string): Promise<Readonly<UserRecord>> {
  const user = await findUser(call, userName);
  if (!user) throw noSuchUser(userName);
  return user;
}

/** Makes a user's record true. A changed name or its letter case changes the record's id too. */
export function putUser(user: UserRecord) {
  return users.put(accountScope(user.accountId), userKeyOf(user.userName), user);
}

/**
 * A user as the thing to authorise. AWS: authorisation comes before existence, on the ARN that the
 * name would have.
 */
export async function userUse(
  call: Call,
  userName: string,
  options: { readonly action?: string; readonly context?: ConditionContext } = {},
): Promise<ResourceUse> {
  const user = await findUser(call, userName);
  const { accountId } = call;
  const { context, ...rest } = options;
  return {
    arn: user ? userArn(user) : userArn({ accountId, path: "/", userName }),
    accountId,
    ...(user && { tags: user.tags }),
    type: userResourceType,
    context: { ...tagContext(user?.tags ?? {}), ...context },
    ...rest,
  };
}

export const userResourceType = "AWS::IAM::User";

/** The root user of the caller's account as the thing to authorise. */
export function rootUse(call: Call): ResourceUse {
  return { arn: rootArn(call.accountId), accountId: call.accountId, type: userResourceType };
}

/**
 * The user that an operation without a name means: the caller. undefined: the caller is root.
 *
 * Throws ValidationError for callers that are neither.
 */
export function callersUserName(call: Call): string | undefined {
  if (call.caller.kind === "user") return call.caller.userName;
  if (call.caller.kind === "root") return undefined;
  throw validationError("Must specify userName when calling with non-User credentials");
}

/** A user as CreateUser and GetUser show it. */
export function shownUser(user: Readonly<UserRecord>): Wire<User> {
  return { ...listedUser(user), ...shownBoundary(user.boundary), ...shownTags(user.tags) };
}

/** `PermissionsBoundary` of an answer; absent where there is none. */
export function shownBoundary(arn: string | undefined): {
  readonly PermissionsBoundary?: Wire<AttachedPermissionsBoundary>;
} {
  if (arn === undefined) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: "PermissionsBoundaryPolicy",
      PermissionsBoundaryArn: arn,
    },
  };
}

/** AWS: lists leave tags out. */
export function listedUser(user: Readonly<UserRecord>): Wire<User> {
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: userArn(user),
    CreateDate: user.createdMs,
  };
}

/** A user in the answer of an audit record. */
export function auditedUser(user: Wire<User> | undefined): Json {
  if (!user) return null;
  const { Path, UserName, UserId, Arn, CreateDate, Tags } = user;
  return {
    path: Path,
    userName: UserName,
    userId: UserId,
    arn: Arn,
    createDate: auditDate(CreateDate),
    ...(Tags && { tags: Tags.map((tag) => ({ key: tag.Key, value: tag.Value })) }),
  };
}

const auditDateForm = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  dateStyle: "medium",
  timeStyle: "medium",
});

/** AWS: `Mar 24, 2014, 9:11:59 PM`, in UTC. */
export function auditDate(timeMs: number): string {
  // Newer ICU puts a narrow no-break space before PM.
  return auditDateForm.format(timeMs).replace(/\s/gu, " ");
}
