import type { DecisionRequest } from "../../src/auth/policy/index.ts";
import type { NamedPolicy } from "../../src/kernel/policy.ts";
import { arnMatches, clauseHolds, expand, globMatches } from "./reference-conditions.ts";

/**
 * A second evaluator, written for tests from the fact sheet's pseudo code: it reads the JSON anew
 * for every question, keeps nothing, and shares no code with src/auth/policy.
 */
export interface ReferenceDecision {
  readonly allowed: boolean;
  readonly explicit: boolean;
  readonly reason: string;
  /** `kind:policy#index`, sorted. */
  readonly statements: readonly string[];
}

type Raw = Record<string, unknown>;
type How = "direct" | "role" | "account" | "unnamed";

interface Hit {
  readonly kind: string;
  readonly effect: string;
  readonly how: How;
  readonly id: string;
}

const listOf = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
const textsOf = (value: unknown): string[] => listOf(value).map(String);

/** How one principal text reaches the caller. */
function reach(type: string, text: string, request: DecisionRequest, ids: Raw): How | undefined {
  const { caller } = request;
  if (type === "AWS" && text === "*") return "direct";
  if (type === "Service") {
    return caller.kind === "service" && caller.service === text ? "direct" : undefined;
  }
  if (type === "Federated") {
    return caller.kind === "web-identity" && caller.provider === text ? "direct" : undefined;
  }
  const account = /^\d{12}$/.test(text) ? text : /^arn:aws:iam::(\d{12}):root$/.exec(text)?.[1];
  if (account !== undefined) {
    if (!("accountId" in caller) || caller.accountId !== account) return undefined;
    return caller.kind === "root" ? "direct" : "account";
  }
  if (text.startsWith("arn:aws:sts:")) {
    const session = caller.kind === "role-session" || caller.kind === "federated-user";
    return session && caller.arn === text ? "direct" : undefined;
  }
  const id = ids[text];
  if (caller.kind === "user" && id === caller.principalId) return "direct";
  if (caller.kind === "role-session" && id === caller.roleId) return "role";
  if (caller.kind === "federated-user" && id === caller.parentId) return "role";
  return undefined;
}

function reaches(element: unknown, request: DecisionRequest, ids: Raw): Set<How> {
  const found = new Set<How>();
  const types = element === "*" ? { AWS: "*" } : (element as Raw);
  for (const [type, list] of Object.entries(types)) {
    for (const text of textsOf(list)) {
      const how = reach(type, text, request, ids);
      if (how !== undefined) found.add(how);
    }
  }
  return found;
}

const levels: Record<string, readonly How[]> = {
  user: ["direct", "account"],
  "role-session": ["direct", "role", "account"],
  "federated-user": ["direct", "account"],
};

function principalReach(statement: Raw, request: DecisionRequest, ids: Raw): How | undefined {
  if (statement.Principal !== undefined) {
    const found = reaches(statement.Principal, request, ids);
    return (["direct", "role", "account"] as const).find((how) => found.has(how));
  }
  const text = JSON.stringify(statement.NotPrincipal);
  const listed = reaches(statement.NotPrincipal, request, ids);
  if (text.includes('"*"')) return undefined;
  if (statement.Effect === "Allow") return listed.size === 0 ? "direct" : undefined;
  const all = levels[request.caller.kind] ?? ["direct"];
  return all.every((level) => listed.has(level)) ? undefined : "direct";
}

function actionMatches(statement: Raw, request: DecisionRequest): boolean {
  const one = (text: string) =>
    globMatches(expand(text.toLowerCase(), "", {}) ?? [], request.action.toLowerCase());
  if (statement.Action !== undefined) return textsOf(statement.Action).some(one);
  return statement.NotAction !== undefined && !textsOf(statement.NotAction).some(one);
}

function resourceMatches(
  statement: Raw,
  request: DecisionRequest,
  version: string,
  kind: string,
): boolean {
  if (kind === "trust") return true;
  const texts = textsOf(statement.Resource ?? statement.NotResource);
  const expanded = texts.map((text) => expand(text, version, request.context));
  const hit = expanded.some((atoms) => atoms !== undefined && arnMatches(atoms, request.resource));
  if (statement.Resource !== undefined) return hit;
  if (statement.NotResource === undefined) return false;
  if (statement.Effect === "Allow" && expanded.includes(undefined)) return false;
  return !hit;
}

function conditionsHold(
  statement: Raw,
  request: DecisionRequest,
  version: string,
  kind: string,
): boolean {
  const context = { ...request.context };
  if (kind === "key") {
    for (const key of Object.keys(context)) {
      if (key.startsWith("aws:resourcetag/") || key === "kms:resourcealiases") delete context[key];
    }
  }
  const blocks = (statement.Condition ?? {}) as Record<string, Raw>;
  return Object.entries(blocks).every(([operator, keys]) =>
    Object.entries(keys).every(([key, values]) =>
      clauseHolds(operator, key, textsOf(values), version, context),
    ),
  );
}

function hits(kind: string, named: NamedPolicy, request: DecisionRequest): Hit[] {
  const document = JSON.parse(named.policy.text) as Raw;
  // What is no policy denies everything to everybody.
  if (document.Statement === undefined) {
    return [{ kind, effect: "Deny", how: "direct", id: `${kind}:${named.name}#-1` }];
  }
  const version = String(document.Version ?? "2008-10-17");
  const found: Hit[] = [];
  for (const [index, raw] of listOf(document.Statement).entries()) {
    const statement = raw as Raw;
    const named_ = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
    const how = named_ ? principalReach(statement, request, named.policy.principalIds) : "unnamed";
    if (how === undefined || !actionMatches(statement, request)) continue;
    if (!resourceMatches(statement, request, version, kind)) continue;
    if (!conditionsHold(statement, request, version, kind)) continue;
    const id = `${kind}:${named.name}#${index}`;
    found.push({ kind, effect: String(statement.Effect), how, id });
  }
  return found;
}

function grantIds(request: DecisionRequest): string[] {
  const operation = request.action.split(":")[1];
  const given = request.encryptionContext ?? {};
  const has = (pairs: Record<string, string>) =>
    Object.entries(pairs).every(([name, value]) => given[name] === value);
  return (request.grants ?? [])
    .filter((grant) => {
      const ids = { [grant.granteePrincipal]: grant.granteeId };
      if (!grant.operations.includes(String(operation))) return false;
      if (reach("AWS", grant.granteePrincipal, request, ids) === undefined) return false;
      if (operation === "DescribeKey" || operation === "RetireGrant") return true;
      const { encryptionContextEquals: equals, encryptionContextSubset: subset } = grant;
      if (subset !== undefined && !has(subset)) return false;
      if (equals === undefined) return true;
      return has(equals) && Object.keys(equals).length === Object.keys(given).length;
    })
    .map(({ grantId }) => `grant:${grantId}#0`);
}

type Answer = (allowed: boolean, reason: string, ids?: readonly string[]) => ReferenceDecision;

const answer: Answer = (allowed, reason, ids = []) => ({
  allowed,
  explicit: false,
  reason,
  statements: [...ids].sort(),
});
const allows = (found: readonly Hit[]) => found.filter(({ effect }) => effect === "Allow");
const idsOf = (found: readonly Hit[]) => allows(found).map(({ id }) => id);

/** Everything that matches, policy by policy. */
function collectAll(request: DecisionRequest) {
  const kind = request.policyKind ?? "resource";
  const ofAccount = "accountId" in request.caller;
  const collect = (name: string, policies: readonly NamedPolicy[]) =>
    policies.flatMap((policy) => hits(name, policy, request));
  const { resourcePolicy, boundary, session, endpoint } = request;
  return {
    scp: ofAccount
      ? (request.serviceControl ?? []).map((level) => collect("service-control", level))
      : [],
    endpoint: endpoint && collect("endpoint", [endpoint]),
    resource: resourcePolicy
      ? collect(kind, [{ name: request.resource, policy: resourcePolicy }])
      : [],
    identity: ofAccount ? collect("identity", request.identity) : [],
    boundary: ofAccount && boundary ? collect("boundary", [boundary]) : undefined,
    session: ofAccount && session?.length ? collect("session", session) : undefined,
  };
}

type Found = ReturnType<typeof collectAll>;

/** The fact sheet's pseudo code, line by line. */
export function referenceDecide(request: DecisionRequest): ReferenceDecision {
  const found = collectAll(request);
  const { scp, endpoint, resource, identity, boundary, session } = found;
  const everything = [scp.flat(), endpoint, resource, identity, boundary, session];
  const denies = everything.flatMap((hits) => hits ?? []).filter(({ effect }) => effect === "Deny");
  if (denies[0] !== undefined) {
    const statements = denies.map(({ id }) => id).sort();
    return { allowed: false, explicit: true, reason: denies[0].kind, statements };
  }
  if (scp.some((level) => allows(level).length === 0)) return answer(false, "service-control");
  if (endpoint && allows(endpoint).length === 0) return answer(false, "endpoint");
  if ("accountId" in request.caller) return ofAccountCaller(request, found);
  const kind = request.policyKind ?? "resource";
  const direct = idsOf(resource.filter(({ how }) => how === "direct"));
  const stranger = kind === "trust" && request.caller.kind === "anonymous";
  return direct.length > 0 && !stranger ? answer(true, kind, direct) : answer(false, kind);
}

function ofAccountCaller(request: DecisionRequest, found: Found): ReferenceDecision {
  const { caller } = request;
  const kind = request.policyKind ?? "resource";
  const by = (how: How) => idsOf(found.resource.filter((hit) => hit.how === how));
  const [direct, viaRole, viaAccount] = [by("direct"), by("role"), by("account")];
  const own = "accountId" in caller && caller.accountId === request.resourceAccountId;
  const root = caller.kind === "root";
  if (kind === "trust" && root) return answer(false, "trust");
  const { session, boundary } = found;
  const sessionOk = session ? allows(session).length > 0 : caller.kind !== "federated-user";
  const boundaryOk = boundary === undefined || allows(boundary).length > 0;
  const limited = !boundaryOk ? "boundary" : !sessionOk ? "session" : undefined;
  const identityIds = root ? [] : idsOf(found.identity);
  const idMissing = root ? undefined : identityIds.length === 0 ? "identity" : limited;
  const grants = kind === "key" && sessionOk ? grantIds(request) : [];

  if (!own) {
    const ways = [direct, viaRole, viaAccount, grants];
    const foreign = ways.find((way) => way.length > 0);
    if (foreign === undefined) return answer(false, kind);
    if (idMissing !== undefined) return answer(false, idMissing);
    return answer(true, foreign === grants ? "grant" : kind, [...identityIds, ...foreign]);
  }
  if (kind === "resource" && root) return answer(true, "root");
  if (direct.length > 0) return answer(true, kind, direct);
  if (viaRole.length > 0 && limited === undefined) return answer(true, kind, viaRole);
  if (kind === "resource") {
    if (idMissing === undefined) return answer(true, "identity", identityIds);
    return answer(false, viaRole.length > 0 && limited ? limited : idMissing);
  }
  if (viaAccount.length > 0 && idMissing === undefined) {
    return answer(true, "identity", [...identityIds, ...viaAccount]);
  }
  if (grants.length > 0) return answer(true, "grant", grants);
  if (viaRole.length > 0 && limited) return answer(false, limited);
  return answer(false, viaAccount.length > 0 && idMissing ? idMissing : kind);
}
