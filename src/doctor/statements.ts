import type { DecisionRequest } from "../auth/policy/index.ts";
import type { StatementReference } from "../kernel/errors.ts";
import type { Json } from "../kernel/json.ts";
import type { AttachedPolicy } from "../kernel/policy.ts";
import type { JsonObject } from "../kernel/records.ts";

/** A policy that took part in a decision. */
export interface PolicyInPlay {
  readonly policyKind: string;
  readonly policyName: string;
  readonly policy: AttachedPolicy;
}

/** Every policy that a request was decided on, named as decisions name them. */
export function policiesOf(request: DecisionRequest): readonly PolicyInPlay[] {
  const { identity, boundary, session = [], endpoint, resourcePolicy, resource } = request;
  const found: PolicyInPlay[] = [];
  const add = (policyKind: string, policyName: string, policy: AttachedPolicy) => {
    found.push({ policyKind, policyName, policy });
  };
  if (endpoint) add("endpoint", endpoint.name, endpoint.policy);
  if (resourcePolicy) add(request.policyKind ?? "resource", resource, resourcePolicy);
  // Services and strangers have no account whose policies speak for them.
  if (!("accountId" in request.caller)) return found;
  for (const { name, policy } of identity) add("identity", name, policy);
  if (boundary) add("boundary", boundary.name, boundary.policy);
  for (const { name, policy } of session) add("session", name, policy);
  return found;
}

/** Version and statements of a policy; undefined: the text is no policy. */
export function readStatements(
  policy: AttachedPolicy,
): { readonly version: Json | undefined; readonly statements: readonly JsonObject[] } | undefined {
  try {
    const document: Json = JSON.parse(policy.text);
    if (!isObject(document)) return undefined;
    const { Version: version, Statement } = document;
    const list = Array.isArray(Statement) ? Statement : [Statement];
    return { version, statements: list.filter(isObject) };
  } catch {
    return undefined;
  }
}

/** The policy with one statement more. undefined: what is there is no policy. */
export function withStatement(
  policy: AttachedPolicy | undefined,
  statement: JsonObject,
  principalIds: Readonly<Record<string, string>> = {},
): AttachedPolicy | undefined {
  if (!policy) {
    const text = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    return { text, principalIds };
  }
  const read = readStatements(policy);
  if (!read) return undefined;
  const { version, statements } = read;
  const document = {
    ...(version !== undefined && { Version: version }),
    Statement: [...statements, statement],
  };
  return {
    text: JSON.stringify(document),
    principalIds: { ...policy.principalIds, ...principalIds },
  };
}

/** The statement that a decision refers to. */
export function statementAt(
  request: DecisionRequest,
  { policyKind, policyName, statementIndex }: StatementReference,
): JsonObject | undefined {
  const place = policiesOf(request).find(
    (one) => one.policyKind === policyKind && one.policyName === policyName,
  );
  return place && readStatements(place.policy)?.statements[statementIndex];
}

/** Values of an element that may be one text or a list of texts. */
export function textsOf(value: Json | undefined): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === "string");
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
