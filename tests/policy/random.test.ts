import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision, DecisionRequest } from "../../src/auth/policy/index.ts";
import { checkPolicy, decide } from "../../src/auth/policy/index.ts";
import type { NamedPolicy } from "../../src/kernel/policy.ts";
import { testRuns } from "../harness/runs.ts";
import type { Raw } from "./generate.ts";
import { attach, scenario, statement } from "./generate.ts";
import { Dice, testSeed } from "./random.ts";
import type { ReferenceDecision } from "./reference.ts";
import { referenceDecide } from "./reference.ts";

const seed = testSeed();
const runs = testRuns(100_000);
const requestsPerScenario = 10;

function plain(decision: Decision): ReferenceDecision {
  const statements = decision.statements.map(
    ({ policyKind, policyName, statementIndex }) => `${policyKind}:${policyName}#${statementIndex}`,
  );
  return { ...decision, statements: statements.sort() };
}

function agrees(request: DecisionRequest): boolean {
  try {
    assert.deepEqual(plain(decide(request)), referenceDecide(request));
    return true;
  } catch {
    return false;
  }
}

/** Drops policies and statements as long as the two evaluators still disagree. */
function smallest(request: DecisionRequest): DecisionRequest {
  for (const smaller of smallerRequests(request)) {
    if (!agrees(smaller)) return smallest(smaller);
  }
  return request;
}

function* smallerRequests(request: DecisionRequest): Generator<DecisionRequest> {
  for (const name of ["boundary", "session", "endpoint", "serviceControl", "grants"] as const) {
    if (request[name] !== undefined) yield { ...request, [name]: undefined };
  }
  for (const [index, { name, policy }] of request.identity.entries()) {
    yield { ...request, identity: request.identity.filter((_, other) => other !== index) };
    for (const text of withoutOneStatement(policy.text)) {
      const identity = [...request.identity];
      identity[index] = { name, policy: { ...policy, text } };
      yield { ...request, identity };
    }
  }
  const { resourcePolicy } = request;
  if (resourcePolicy === undefined) return;
  yield { ...request, resourcePolicy: undefined };
  for (const text of withoutOneStatement(resourcePolicy.text)) {
    yield { ...request, resourcePolicy: { ...resourcePolicy, text } };
  }
}

function* withoutOneStatement(text: string): Generator<string> {
  const document = JSON.parse(text) as Raw;
  const statements = Array.isArray(document.Statement) ? document.Statement : [];
  if (statements.length < 2) return;
  for (const dropped of statements) {
    const Statement = statements.filter((one) => one !== dropped);
    yield JSON.stringify({ ...document, Statement });
  }
}

// Goal: the evaluator decides as the fact sheet says. Method: a second, plain evaluator answers the
// same generated questions; decision, reason and deciding statements must agree. The tally at the
// end fails if the questions were too easy to find a fault with.
test(`${runs} random decisions agree with the reference (seed ${seed})`, () => {
  const dice = new Dice(seed);
  const tally = new Map<string, number>();
  for (let count = 0; count < runs; ) {
    for (const request of scenario(dice, requestsPerScenario)) {
      count++;
      const found = plain(decide(request));
      const expected = referenceDecide(request);
      const word = found.allowed ? "allow" : found.explicit ? "explicit" : "deny";
      tally.set(`${word} ${found.reason}`, (tally.get(`${word} ${found.reason}`) ?? 0) + 1);
      const same =
        found.allowed === expected.allowed &&
        found.explicit === expected.explicit &&
        found.reason === expected.reason &&
        found.statements.join() === expected.statements.join();
      if (same) continue;
      const small = smallest(request);
      assert.deepEqual(
        plain(decide(small)),
        referenceDecide(small),
        `SEALPOST_TEST_SEED=${seed}, case ${count}: ${JSON.stringify(small, null, 1)}`,
      );
    }
  }
  if (runs < 10_000) return;
  for (const outcome of outcomes) {
    assert.ok((tally.get(outcome) ?? 0) >= runs / 10_000, `${outcome}: ${tally.get(outcome)}`);
  }
});

/** Every way to decide; each must have been met often enough to mean something. */
const outcomes = [
  ...["identity", "resource", "key", "trust", "grant", "root"].map((reason) => `allow ${reason}`),
  ...[
    "identity",
    "resource",
    "key",
    "trust",
    "boundary",
    "session",
    "endpoint",
    "service-control",
  ].flatMap((reason) => [`deny ${reason}`, `explicit ${reason}`]),
];

// Goal: a wrong evaluator would be found. Method: the reference gets a twin with one rule broken;
// the same questions must tell them apart.
test("the random cases notice a broken rule", () => {
  const broken: Record<string, (request: DecisionRequest) => DecisionRequest> = {
    "the boundary is ignored": (request) => ({ ...request, boundary: undefined }),
    "the session policy is ignored": (request) => ({ ...request, session: undefined }),
    "unique ids are ignored": (request) =>
      "principalId" in request.caller && request.caller.principalId === "AIDAALICETWO"
        ? { ...request, caller: { ...request.caller, principalId: "AIDAALICE" } }
        : request,
    "every account is the same": (request) => ({
      ...request,
      resourceAccountId: "accountId" in request.caller ? request.caller.accountId : "",
    }),
    "keys are ordinary resources": (request) => ({ ...request, policyKind: "resource" }),
    "grants are ignored": (request) => ({ ...request, grants: undefined }),
  };
  for (const [rule, breakIt] of Object.entries(broken)) {
    const dice = new Dice(1);
    let noticed = 0;
    for (let count = 0; count < 300; count++) {
      for (const request of scenario(dice, requestsPerScenario)) {
        if (decide(breakIt(request)).allowed !== referenceDecide(request).allowed) noticed++;
      }
    }
    assert.ok(noticed > 0, rule);
  }
});

/** The request with one statement more in one of its policies, at a random place. */
function withStatement(
  dice: Dice,
  request: DecisionRequest,
  effect: "Allow" | "Deny",
): DecisionRequest | undefined {
  const scenarioKind = request.action.startsWith("kms")
    ? "key"
    : request.action.startsWith("sts")
      ? "trust"
      : "resource";
  const change = (policy: NamedPolicy["policy"], kind: Parameters<typeof statement>[2]) => {
    const document = JSON.parse(policy.text) as Raw;
    const old = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
    const added = { ...statement(dice, scenarioKind, kind), Effect: effect };
    const at = dice.below(old.length + 1);
    const Statement = [...old.slice(0, at), added, ...old.slice(at)];
    return attach({ ...document, Statement }, { ...policy.principalIds });
  };
  const { resourcePolicy, boundary } = request;
  const [first, ...others] = request.identity;
  if (boundary !== undefined && dice.chance(30)) {
    const policy = change(boundary.policy, "boundary");
    return { ...request, boundary: { ...boundary, policy } };
  }
  if (first !== undefined && dice.chance(50)) {
    const policy = change(first.policy, "identity");
    return { ...request, identity: [{ ...first, policy }, ...others] };
  }
  if (resourcePolicy === undefined) return undefined;
  return { ...request, resourcePolicy: change(resourcePolicy, scenarioKind) };
}

// Goal: a Deny more never allows more; an Allow more never allows less. Method: one generated
// statement is added to one policy; the counts show that both directions really changed decisions.
test(`adding statements is monotonous (seed ${seed})`, () => {
  const dice = new Dice(seed + 1);
  const changed = { Allow: 0, Deny: 0 };
  for (let count = 0; count < Math.min(runs / 50, 20_000); count++) {
    for (const request of scenario(dice, 4)) {
      const before = decide(request).allowed;
      for (const effect of ["Allow", "Deny"] as const) {
        const more = withStatement(dice, request, effect);
        if (more === undefined) continue;
        const after = decide(more).allowed;
        if (after !== before) changed[effect]++;
        const worse = effect === "Allow" ? before && !after : after && !before;
        assert.ok(!worse, `SEALPOST_TEST_SEED=${seed} ${effect}: ${JSON.stringify(more)}`);
      }
    }
  }
  assert.ok(changed.Allow > 0 && changed.Deny > 0, JSON.stringify(changed));
});

// Goal: the order of statements and of policies does not matter. Method: both are shuffled.
test(`order is irrelevant (seed ${seed})`, () => {
  const dice = new Dice(seed + 2);
  const shuffled = ({ name, policy }: NamedPolicy): NamedPolicy => {
    const document = JSON.parse(policy.text) as Raw;
    const old = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
    return {
      name,
      policy: { ...policy, text: JSON.stringify({ ...document, Statement: dice.shuffle(old) }) },
    };
  };
  for (let count = 0; count < Math.min(runs / 50, 20_000); count++) {
    for (const request of scenario(dice, 4)) {
      const { resourcePolicy } = request;
      const mixed = {
        ...request,
        identity: dice.shuffle(request.identity).map(shuffled),
        resourcePolicy: resourcePolicy && shuffled({ name: "", policy: resourcePolicy }).policy,
      };
      const [{ allowed, explicit, reason }, other] = [decide(request), decide(mixed)];
      assert.deepEqual(
        [other.allowed, other.explicit, other.reason],
        [allowed, explicit, reason],
        `SEALPOST_TEST_SEED=${seed}: ${JSON.stringify(mixed)}`,
      );
    }
  }
});

// Goal: what is generated is what a service would accept. Method: every policy passes the check.
test("generated policies are valid", () => {
  const dice = new Dice(seed + 3);
  for (let count = 0; count < 300; count++) {
    for (const { identity, resourcePolicy, policyKind } of scenario(dice, 1)) {
      for (const { policy } of identity) checkPolicy(policy.text, "identity");
      if (resourcePolicy) checkPolicy(resourcePolicy.text, policyKind ?? "resource");
    }
  }
});
