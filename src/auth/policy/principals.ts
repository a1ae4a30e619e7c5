import { partition } from "../../kernel/arn.ts";
import type { Caller } from "../../kernel/caller.ts";
import type { Statement } from "./document.ts";

/** A session of a role, as STS issues it. */
export interface RoleSessionCaller {
  readonly kind: "role-session";
  readonly accountId: string;
  /** `arn:aws:sts::A:assumed-role/RoleName/Session` */
  readonly arn: string;
  /** `arn:aws:iam::A:role/path/RoleName` */
  readonly roleArn: string;
  /** `AROA…` */
  readonly roleId: string;
  readonly sessionName: string;
  /** `AROA…:Session` */
  readonly principalId: string;
  readonly accessKeyId: string;
  /** Tags of the role, overridden by those of the session. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A session from GetFederationToken. */
export interface FederatedUserCaller {
  readonly kind: "federated-user";
  readonly accountId: string;
  /** `arn:aws:sts::A:federated-user/name` */
  readonly arn: string;
  /** `A:name` */
  readonly principalId: string;
  /** Unique id of the user who asked for the session. */
  readonly parentId: string;
  readonly accessKeyId: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Someone with a checked token of an identity provider, asking for a role. */
export interface WebIdentityCaller {
  readonly kind: "web-identity";
  /** ARN of the OIDC or SAML provider, or its host name. */
  readonly provider: string;
  readonly subject: string;
}

/** Every kind of caller that policies speak about. */
export type PolicyCaller = Caller | RoleSessionCaller | FederatedUserCaller | WebIdentityCaller;

/** One principal that a policy names. */
export type PrincipalEntry =
  | { readonly kind: "everyone" }
  | { readonly kind: "account"; readonly accountId: string }
  /** A user or role; who that is was resolved to a unique id when the policy was saved. */
  | { readonly kind: "identity"; readonly arn: string }
  | { readonly kind: "session"; readonly arn: string }
  | { readonly kind: "service"; readonly name: string }
  | { readonly kind: "federated"; readonly provider: string };

/**
 * How a policy's principal reaches the caller.
 *
 * - `direct`: by its own ARN, as service, or as everyone
 * - `role`: by the role of the session, or the user behind a federated session
 * - `account`: by the account, which delegates to the account's own policies
 */
export type Relation = "direct" | "role" | "account";

/** undefined: no valid principal of this type. */
export function readPrincipal(type: string, text: string): PrincipalEntry | undefined {
  switch (type) {
    case "AWS":
      return readAwsPrincipal(text);
    case "Service":
      return /^[a-z0-9][a-z0-9.-]*\.amazonaws\.com(\.cn)?$/.test(text)
        ? { kind: "service", name: text }
        : undefined;
    case "Federated":
      return /^[\x21-\x7e]{1,512}$/.test(text) && !text.includes("*")
        ? { kind: "federated", provider: text }
        : undefined;
    default:
      return undefined;
  }
}

const identityForm = /^(user|role)\/(?:[!-~]{1,511}\/)?[\w+=,.@-]{1,128}$/;
const sessionForm = /^(assumed-role\/[\w+=,.@-]{1,64}|federated-user)\/[\w+=,.@-]{2,64}$/;

function readAwsPrincipal(text: string): PrincipalEntry | undefined {
  if (text === "*") return { kind: "everyone" };
  if (/^\d{12}$/.test(text)) return { kind: "account", accountId: text };
  const match = /^arn:([a-z-]+):(iam|sts)::(\d{12}):(.+)$/.exec(text);
  // AWS: no wildcard inside a principal's ARN.
  if (match === null || match[1] !== partition || /[*?]/.test(text)) return undefined;
  const [, , service, accountId = "", resource = ""] = match;
  if (service === "sts") {
    return sessionForm.test(resource) ? { kind: "session", arn: text } : undefined;
  }
  if (resource === "root") return { kind: "account", accountId };
  return identityForm.test(resource) ? { kind: "identity", arn: text } : undefined;
}

/** Who the principal entries of one policy are, by ARN (see AttachedPolicy). */
export type PrincipalIds = Readonly<Record<string, string>>;

/** How one entry reaches the caller, or undefined. */
export function relationOf(
  entry: PrincipalEntry,
  caller: PolicyCaller,
  ids: PrincipalIds,
): Relation | undefined {
  switch (entry.kind) {
    case "everyone":
      return "direct";
    case "account":
      if (!("accountId" in caller) || caller.accountId !== entry.accountId) return undefined;
      return caller.kind === "root" ? "direct" : "account";
    case "identity":
      return identityRelation(entry.arn, caller, ids);
    case "session":
      return "arn" in caller && isSession(caller) && caller.arn === entry.arn
        ? "direct"
        : undefined;
    case "service":
      return caller.kind === "service" && isService(entry.name, caller.service, caller.sourceArn)
        ? "direct"
        : undefined;
    case "federated":
      return caller.kind === "web-identity" && caller.provider === entry.provider
        ? "direct"
        : undefined;
  }
}

/**
 * INVARIANT: a user or role is known by the unique id that was saved with the policy, never by its
 * name, so one that was deleted and made again is a stranger.
 */
function identityRelation(
  arn: string,
  caller: PolicyCaller,
  ids: PrincipalIds,
): Relation | undefined {
  const id = Object.hasOwn(ids, arn) ? ids[arn] : undefined;
  if (id === undefined) return undefined;
  if (caller.kind === "user") return caller.principalId === id ? "direct" : undefined;
  if (caller.kind === "role-session") return caller.roleId === id ? "role" : undefined;
  if (caller.kind === "federated-user") return caller.parentId === id ? "role" : undefined;
  return undefined;
}

function isSession(caller: PolicyCaller): boolean {
  return caller.kind === "role-session" || caller.kind === "federated-user";
}

/**
 * What an entry knows its principals by; undefined: it reaches nobody. INVARIANT: where `relationOf`
 * answers, this is one of the labels of the caller. Others may share it.
 */
export function labelOfEntry(
  entry: Exclude<PrincipalEntry, { kind: "everyone" }>,
  ids: PrincipalIds,
): string | undefined {
  switch (entry.kind) {
    case "account":
      return entry.accountId;
    case "identity":
      return Object.hasOwn(ids, entry.arn) ? ids[entry.arn] : undefined;
    case "session":
      return entry.arn;
    case "service":
      return firstLabel(entry.name);
    case "federated":
      return entry.provider;
  }
}

/** What entries may know a caller by. */
export function labelsOfCaller(caller: PolicyCaller): readonly string[] {
  switch (caller.kind) {
    case "root":
      return [caller.accountId];
    case "user":
      return [caller.accountId, caller.principalId];
    case "role-session":
      return [caller.accountId, caller.roleId, caller.arn];
    case "federated-user":
      return [caller.accountId, caller.parentId, caller.arn];
    case "service":
      return [firstLabel(caller.service)];
    case "web-identity":
      return [caller.provider];
    case "anonymous":
      return [];
  }
}

/** What the regional names of a service have in common. */
function firstLabel(service: string): string {
  return service.slice(0, service.indexOf("."));
}

/** AWS?: a regional name (`sns.us-east-1.amazonaws.com`) is the service in its source's Region. */
function isService(name: string, service: string, sourceArn: string): boolean {
  if (name === service) return true;
  const region = sourceArn.split(":", 4)[3] ?? "";
  return region !== "" && name === service.replace(/\.amazonaws\.com$/, `.${region}.amazonaws.com`);
}

/** How the principals of a statement reach the caller, or undefined. */
export function relationTo(
  { principal, effect }: Pick<Statement, "principal" | "effect">,
  caller: PolicyCaller,
  ids: PrincipalIds,
): Relation | undefined {
  if (principal === undefined) return undefined;
  if (!principal.not) return strongestRelation(principal.values, caller, ids);
  return notPrincipalMatches(principal.values, effect, caller, ids) ? "direct" : undefined;
}

/** The strongest relation of all entries. */
function strongestRelation(
  entries: readonly PrincipalEntry[],
  caller: PolicyCaller,
  ids: PrincipalIds,
): Relation | undefined {
  let found: Relation | undefined;
  for (const entry of entries) {
    const relation = relationOf(entry, caller, ids);
    if (relation === "direct") return relation;
    if (relation === "role" || found === undefined) found = relation ?? found;
  }
  return found;
}

/**
 * NotPrincipal. An Allow leaves out whoever is listed at any level. A Deny spares only a caller
 * listed at every level (AWS: account, role and session must all be there), else the denial by
 * account would still hold.
 */
function notPrincipalMatches(
  entries: readonly PrincipalEntry[],
  effect: "Allow" | "Deny",
  caller: PolicyCaller,
  ids: PrincipalIds,
): boolean {
  const listed = new Set<Relation>();
  for (const entry of entries) {
    if (entry.kind === "everyone") return false;
    const relation = relationOf(entry, caller, ids);
    if (relation !== undefined) listed.add(relation);
  }
  if (effect === "Allow") return listed.size === 0;
  return !levelsOf(caller).every((level) => listed.has(level));
}

function levelsOf(caller: PolicyCaller): readonly Relation[] {
  switch (caller.kind) {
    case "user":
      return ["direct", "account"];
    case "role-session":
      return ["direct", "role", "account"];
    case "federated-user":
      return ["direct", "account"];
    default:
      return ["direct"];
  }
}
