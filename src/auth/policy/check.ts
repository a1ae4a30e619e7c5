import type { AttachedPolicy, Principals } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { compileDocument } from "./compile.ts";
import type { PolicyDocument, PolicyKind } from "./document.ts";
import { parsePolicy } from "./document.ts";
import { PolicyError, shown } from "./errors.ts";
import { readJson } from "./json.ts";
import { readOperator } from "./operators.ts";
import { readPrincipal } from "./principals.ts";

/** Limits of the place that a policy is saved to; what is absent is not limited. */
export interface PolicyRules {
  /** Characters of the text. */
  readonly lengthMax?: number;
  /** White space does not count towards `lengthMax` (IAM). */
  readonly ignoreBlanks?: boolean;
  readonly statementsMax?: number;
  /** In all statements together. */
  readonly principalsMax?: number;
  readonly conditionsMax?: number;
  /** In any one statement. */
  readonly actionsMax?: number;
  /** Services whose actions may stand here (`sns`); `*` alone is always allowed. */
  readonly vendors?: readonly string[];
  /** The one resource that statements may name (a topic's own ARN). */
  readonly resource?: string;
}

export interface CheckedPolicy {
  readonly document: PolicyDocument;
  /** ARNs of users and roles that it names as principals, each once. */
  readonly principals: readonly string[];
}

/**
 * Checks a policy before it is saved: grammar, operators, values and the limits of its place.
 * Throws PolicyError that names the first thing wrong and where it stands.
 */
export function checkPolicy(
  text: string,
  kind: PolicyKind,
  rules: PolicyRules = {},
): CheckedPolicy {
  const { lengthMax, ignoreBlanks } = rules;
  const length = ignoreBlanks ? text.replace(/[ \t\r\n]/g, "").length : text.length;
  if (lengthMax !== undefined && length > lengthMax) {
    throw new PolicyError("", `the policy is longer than ${lengthMax} characters`);
  }
  const document = parsePolicy(text, kind);
  compileDocument(document, kind, "strict");
  if (kind === "key") checkKeyConditions(document);
  checkCounts(document, rules);
  checkScope(document, rules);
  return { document, principals: principalsOf(document) };
}

/** AWS: the one combination that KMS refuses because it lets everything through. */
function checkKeyConditions(document: PolicyDocument): void {
  for (const { conditions } of document.statements) {
    for (const { operatorName, key, path } of conditions) {
      if (!key.toLowerCase().startsWith("kms:encryptioncontext:")) continue;
      if (readOperator(operatorName)?.set !== "all") continue;
      throw new PolicyError(
        path,
        "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a " +
          "single-valued condition key matches requests without the specified encryption " +
          "context or with an unspecified encryption context. To fix, remove ForAllValues.",
      );
    }
  }
}

function checkCounts(document: PolicyDocument, rules: PolicyRules): void {
  const { statements } = document;
  const counts: readonly [what: string, count: number, max: number | undefined][] = [
    ["statements", statements.length, rules.statementsMax],
    ["principals", sum(statements, (one) => one.principal?.values.length), rules.principalsMax],
    ["conditions", sum(statements, (one) => one.conditions.length), rules.conditionsMax],
    [
      "actions in one statement",
      Math.max(...statements.map((one) => one.action?.values.length ?? 0)),
      rules.actionsMax,
    ],
  ];
  for (const [what, count, max] of counts) {
    if (max === undefined || count <= max) continue;
    throw new PolicyError("", `${count} ${what} were found, maximum allowed is ${max}.`);
  }
}

function sum<T>(items: readonly T[], count: (item: T) => number | undefined): number {
  return items.reduce((total, item) => total + (count(item) ?? 0), 0);
}

function checkScope(document: PolicyDocument, rules: PolicyRules): void {
  for (const { action, resource } of document.statements) {
    for (const text of action?.values ?? []) {
      const vendor = text.slice(0, text.indexOf(":")).toLowerCase();
      if (text === "*" || rules.vendors === undefined || rules.vendors.includes(vendor)) continue;
      throw new PolicyError(action?.path ?? "", "Policy statement action out of service scope!");
    }
    for (const text of resource?.values ?? []) {
      if (rules.resource === undefined || rules.resource === text) continue;
      const reason = `resource \`${shown(text)}\` is not \`${rules.resource}\``;
      throw new PolicyError(resource?.path ?? "", reason);
    }
  }
}

function principalsOf(document: PolicyDocument): readonly string[] {
  const arns = new Set<string>();
  for (const { principal } of document.statements) {
    for (const entry of principal?.values ?? []) {
      if (entry.kind === "identity") arns.add(entry.arn);
    }
  }
  return [...arns];
}

export type ResolvedPolicy =
  | { readonly ok: true; readonly policy: AttachedPolicy }
  /** ARNs that name nobody: the policy must not be saved. */
  | { readonly ok: false; readonly unknown: readonly string[] };

/**
 * Makes a checked policy one that can be attached: every user and role that it names as principal
 * is resolved to the unique id of who that is now. Throws PolicyError if the text is no JSON.
 */
export async function resolvePrincipalIds(
  text: string,
  principals: Principals,
  view: RecordView,
): Promise<ResolvedPolicy> {
  const arns = namedIdentities(text);
  const ids = await Promise.all(arns.map((arn) => principals.resolve(view, arn)));
  const unknown = arns.filter((_, index) => ids[index] === undefined);
  if (unknown.length > 0) return { ok: false, unknown };
  const pairs = arns.map((arn, index) => [arn, ids[index] ?? ""] as const);
  const policy = Object.freeze({ text, principalIds: Object.freeze(Object.fromEntries(pairs)) });
  return { ok: true, policy };
}

/** User and role ARNs under Principal and NotPrincipal, whatever kind of policy it is. */
function namedIdentities(text: string): readonly string[] {
  const root = readJson(text);
  const statements = root.kind === "object" ? root.members.get("Statement") : undefined;
  const found = new Set<string>();
  for (const statement of statements?.kind === "array" ? statements.items : [statements]) {
    if (statement?.kind !== "object") continue;
    for (const name of ["Principal", "NotPrincipal"]) {
      const principal = statement.members.get(name);
      const list = principal?.kind === "object" ? principal.members.get("AWS") : undefined;
      for (const node of list?.kind === "array" ? list.items : [list]) {
        if (node?.kind !== "string") continue;
        const entry = readPrincipal("AWS", node.text);
        if (entry?.kind === "identity") found.add(entry.arn);
      }
    }
  }
  return [...found];
}
