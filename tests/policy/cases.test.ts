import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { DecisionRequest, KeyGrant } from "../../src/auth/policy/index.ts";
import { decide } from "../../src/auth/policy/index.ts";
import type { ConditionContext } from "../../src/kernel/operation.ts";
import type { AttachedPolicy, NamedPolicy } from "../../src/kernel/policy.ts";
import { callers, home, ids, key, queue, role, topic } from "./world.ts";

/** A whole policy, one statement, a list of statements, or a text that is no policy. */
type Written = object | readonly object[] | string;

interface CaseRequest {
  readonly caller: string;
  readonly action: string;
  /** An ARN, or one of the names below. */
  readonly resource: string;
  readonly policyKind?: "resource" | "key" | "trust";
  readonly context?: ConditionContext;
  readonly identity?: readonly Written[];
  readonly boundary?: Written | null;
  readonly session?: readonly Written[];
  readonly endpoint?: Written | null;
  readonly serviceControl?: readonly (readonly Written[])[];
  readonly resourcePolicy?: Written | null;
  readonly principalIds?: Readonly<Record<string, string>>;
  readonly grants?: readonly KeyGrant[];
  readonly encryptionContext?: Readonly<Record<string, string>>;
}

interface Case {
  readonly name: string;
  readonly rule: string;
  readonly request: CaseRequest;
  /** `allow|deny|explicit REASON STATEMENT…`, a statement being `kind:policy#index`. */
  readonly expect: string;
  /** The same request with one thing changed, and what becomes of it. */
  readonly twin: { readonly change: Partial<CaseRequest>; readonly expect: string };
}

const arns: Readonly<Record<string, string>> = { queue, topic, key, role };

function attached(written: Written, principalIds: Readonly<Record<string, string>>) {
  if (typeof written === "string") return { text: written, principalIds };
  const whole = !Array.isArray(written) && "Statement" in written;
  const document = whole ? written : { Version: "2012-10-17", Statement: written };
  return { text: JSON.stringify(document), principalIds } satisfies AttachedPolicy;
}

function requestOf(made: CaseRequest): DecisionRequest {
  const caller = callers[made.caller];
  assert.ok(caller, made.caller);
  const principalIds = made.principalIds ?? ids;
  const named = (name: string) => (written: Written, index: number) => ({
    name: name === "" ? String(index) : name,
    policy: attached(written, principalIds),
  });
  const list = (written: readonly Written[] = []): NamedPolicy[] => written.map(named(""));
  const { boundary, endpoint, resourcePolicy } = made;
  return {
    caller,
    action: made.action,
    resource: arns[made.resource] ?? made.resource,
    resourceAccountId: home,
    service: made.action.slice(0, made.action.indexOf(":")),
    context: made.context ?? {},
    identity: list(made.identity),
    boundary: boundary ? named("boundary")(boundary, 0) : undefined,
    session: made.session && list(made.session),
    endpoint: endpoint ? named("endpoint")(endpoint, 0) : undefined,
    serviceControl: made.serviceControl?.map(list),
    resourcePolicy: resourcePolicy ? attached(resourcePolicy, principalIds) : undefined,
    policyKind: made.policyKind,
    grants: made.grants,
    encryptionContext: made.encryptionContext,
  };
}

function outcome(made: CaseRequest): string {
  const request = requestOf(made);
  const { allowed, explicit, reason, statements } = decide(request);
  const names = statements.map(({ policyKind, policyName, statementIndex }) => {
    const name = policyName === request.resource ? made.resource : policyName;
    return `${policyKind}:${name}#${statementIndex}`;
  });
  return [allowed ? "allow" : explicit ? "explicit" : "deny", reason, ...names].join(" ");
}

// Goal: one case per rule of the fact sheet, with the statements that decide. Method: a JSON corpus
// that a person can read; each case has a twin with one thing changed and another outcome.
const folder = new URL("./cases/", import.meta.url);
for (const file of readdirSync(folder).sort()) {
  const cases = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as readonly Case[];
  for (const { name, rule, request, expect, twin } of cases) {
    test(`${file}: ${name} [${rule}]`, () => {
      assert.equal(outcome(request), expect);
      assert.equal(outcome({ ...request, ...twin.change }), twin.expect, "twin");
      assert.notEqual(expect, twin.expect, "a twin that tells nothing");
    });
  }
}
