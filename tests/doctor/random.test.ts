// Goal: what doctor says of a decision is true of any decision. Method: the random policies and
// requests of the policy tests; offered statements are appended by other code than doctor's own and
// given to the slow reference evaluator; statements that decided are those whose parts all hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type DecisionRequest, decide } from "../../src/auth/policy/index.ts";
import { examine } from "../../src/doctor/examine.ts";
import type { Missing } from "../../src/doctor/hop.ts";
import { judge } from "../../src/doctor/judge.ts";
import type { AttachedPolicy, NamedPolicy } from "../../src/kernel/policy.ts";
import { testRuns } from "../harness/runs.ts";
import { scenario } from "../policy/generate.ts";
import { Dice, testSeed } from "../policy/random.ts";
import { referenceDecide } from "../policy/reference.ts";

const seed = testSeed();
const runs = testRuns(5_000);

function* requests(): Generator<DecisionRequest> {
  for (let i = 0, made = 0; made < runs; i++) {
    for (const request of scenario(new Dice(seed + i), 10)) {
      made++;
      yield request;
    }
  }
}

test(`offered statements allow what was denied (seed ${seed})`, () => {
  let offered = 0;
  let refused = 0;
  for (const request of requests()) {
    const verdict = judge(request);
    assert.equal(verdict.allowed, decide(request).allowed);
    assert.notEqual(verdict.reason, "");
    if (verdict.allowed) {
      assert.deepEqual(verdict.missing, []);
      continue;
    }
    if (verdict.missing.length === 0) {
      refused++;
      continue;
    }
    offered++;
    const mended = verdict.missing.reduce(append, request);
    assert.equal(referenceDecide(mended).allowed, true, describe(request, verdict.missing));
    const [, ...others] = verdict.missing;
    if (others.length === 0) continue;
    const part = verdict.missing.slice(0, -1).reduce(append, request);
    assert.equal(referenceDecide(part).allowed, false, "none of them is too much");
  }
  assert.ok(offered > runs / 20, `${offered} offers in ${runs}`);
  assert.ok(refused > 0, "explicit denials get none");
});

test(`statements that decide are those whose every part holds (seed ${seed})`, () => {
  let decided = 0;
  for (const request of [...requests()].slice(0, runs / 5)) {
    const decision = decide(request);
    const examined = examine(request);
    const whole = examined.filter(
      ({ principal, action, resource, conditions }) =>
        principal && action && resource && conditions.every(({ holds }) => holds),
    );
    const name = (one: { policyKind: string; policyName: string; statementIndex: number }) =>
      `${one.policyKind} ${one.policyName} ${one.statementIndex}`;
    const known = decision.statements.filter(
      ({ policyKind, statementIndex }) =>
        statementIndex >= 0 && policyKind !== "grant" && policyKind !== "service-control",
    );
    for (const reference of known) {
      decided++;
      assert.ok(whole.map(name).includes(name(reference)), JSON.stringify([reference, request]));
    }
    const denies = whole.filter(({ effect }) => effect === "Deny").map(name);
    if (denies.length > 0) assert.equal(decision.explicit, true, JSON.stringify([denies, request]));
  }
  assert.ok(decided > 100);
});

/** Does by hand what a person does: adds the statement to the policy that is named. */
function append(request: DecisionRequest, { attachTo, statement }: Missing): DecisionRequest {
  const { caller } = request;
  const ids =
    caller.kind === "user"
      ? { [caller.arn]: caller.principalId }
      : caller.kind === "role-session"
        ? { [caller.roleArn]: caller.roleId }
        : {};
  const added = (policy: AttachedPolicy | undefined, more = {}): AttachedPolicy => {
    const document = policy ? JSON.parse(policy.text) : { Version: "2012-10-17", Statement: [] };
    const text = JSON.stringify({ ...document, Statement: [document.Statement, statement].flat() });
    return { text, principalIds: { ...policy?.principalIds, ...more } };
  };
  const named = (one: NamedPolicy | undefined): NamedPolicy => {
    assert.ok(one, attachTo);
    return { ...one, policy: added(one.policy) };
  };
  if (attachTo.startsWith("identity policy")) {
    const policy = added(undefined);
    return { ...request, identity: [...request.identity, { name: "pasted", policy }] };
  }
  if (attachTo.startsWith("permissions boundary")) {
    return { ...request, boundary: named(request.boundary) };
  }
  if (attachTo.startsWith("session policy")) {
    return { ...request, session: [named(request.session?.[0])] };
  }
  if (attachTo.startsWith("endpoint policy")) {
    return { ...request, endpoint: named(request.endpoint) };
  }
  return { ...request, resourcePolicy: added(request.resourcePolicy, ids) };
}

function describe(request: DecisionRequest, missing: readonly Missing[]): string {
  return JSON.stringify({ request, missing }, null, 1);
}
