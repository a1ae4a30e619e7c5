// Goal: the index of statements leaves out only what cannot match. Method: generated policies of
// many statements, with wildcards and variables at every place, are asked through the index and
// without it. Twins file statements by wrong rules; each of them must be noticed.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { splitArn } from "../../src/auth/policy/arns.ts";
import type { CompiledStatement } from "../../src/auth/policy/compile.ts";
import { compilePolicy, speaksAbout, statementHolds } from "../../src/auth/policy/compile.ts";
import { type DecisionRequest, decide, type PolicyKind } from "../../src/auth/policy/index.ts";
import { relationTo } from "../../src/auth/policy/principals.ts";
import type { Labels } from "../../src/auth/policy/statement-index.ts";
import { labelsOf, StatementIndex } from "../../src/auth/policy/statement-index.ts";
import { testRuns } from "../harness/runs.ts";
import { crowdedPolicy, crowdedScenario, question } from "./crowded.ts";
import { Dice, testSeed } from "./random.ts";
import { referenceDecide } from "./reference.ts";

const seed = testSeed();
const runs = testRuns(20_000);
const kinds: readonly PolicyKind[] = ["identity", "resource", "key", "trust", "endpoint"];

type Ids = Readonly<Record<string, string>>;
type Filing = (statement: CompiledStatement, ids: Ids) => Labels | undefined;

/** How often an index was asked, and what came of it. */
interface Tally {
  readonly wrong: readonly string[];
  readonly held: number;
  readonly leftOut: number;
}

function askBoth(file: Filing, questions: number, diceSeed: number): Tally {
  const dice = new Dice(diceSeed);
  const wrong: string[] = [];
  let held = 0;
  let leftOut = 0;
  for (let asked = 0; asked < questions; ) {
    const kind = dice.pick(kinds);
    const { policy } = crowdedPolicy(dice, kind, 60);
    const ids = policy.principalIds;
    const statements = compilePolicy(policy.text, kind);
    const indexes = new Map<string, StatementIndex<CompiledStatement>>();
    for (const end = asked + 20; asked < end; asked++) {
      const { caller, context, ...about } = question(dice);
      const action = about.action.toLowerCase();
      const resource = { text: about.resource, parts: splitArn(about.resource) };
      const speakers = statements.filter((one) => speaksAbout(one, action));
      const index = indexes.get(action) ?? new StatementIndex(speakers, (one) => file(one, ids));
      indexes.set(action, index);
      const holds = (one: CompiledStatement) =>
        statementHolds(one, resource, context) &&
        (one.statement.principal === undefined || relationTo(one.statement, caller, ids));
      const found = index.about({ caller, resource });
      const expected = speakers.filter(holds);
      held += expected.length;
      leftOut += speakers.length - found.length;
      const numbers = (list: readonly CompiledStatement[]) =>
        list.map(({ statement }) => statement.index).join();
      if (numbers(found.filter(holds)) === numbers(expected)) continue;
      wrong.push(`${policy.text} asked by ${JSON.stringify({ caller, context, ...about })}`);
    }
  }
  return { wrong, held, leftOut };
}

test(`${runs} questions find the same statements with the index (seed ${seed})`, () => {
  const { wrong, held, leftOut } = askBoth(labelsOf, runs, seed);
  deepEqual(wrong.slice(0, 1), [], `SEALPOST_TEST_SEED=${seed}`);
  // What was asked must often have been met, and the index must have spared most of the rest.
  ok(held > runs / 2, `${held} statements held`);
  ok(leftOut > runs * 5, `${leftOut} statements were left out`);
});

const nothing: Labels = { heads: [], parts: [], callers: [] };

const wrongFilings: Readonly<Record<string, Filing>> = {
  "drops the second statement": (one, ids) =>
    one.statement.index === 1 ? nothing : labelsOf(one, ids),
  "drops what any request may match": (one, ids) => labelsOf(one, ids) ?? nothing,
  "files NotResource as if it were Resource": (one, ids) =>
    labelsOf({ ...one, statement: { ...one.statement, resource: undefined } }, ids),
  "forgets resources with variables": (one, ids) =>
    labelsOf({ ...one, variableResources: [] }, ids),
  "files by the first resource only": (one, ids) =>
    labelsOf({ ...one, resources: one.resources.slice(0, 1) }, ids),
  "takes a pattern for a text": (one, ids) =>
    labelsOf({ ...one, statement: { ...one.statement, principal: undefined } }, ids)?.heads.length
      ? { ...nothing, heads: one.statement.resource?.values ?? [] }
      : labelsOf(one, ids),
  "knows nobody by account": (one, ids) => {
    const labels = labelsOf(one, ids);
    return labels && { ...labels, callers: labels.callers.filter((text) => !/^\d+$/.test(text)) };
  },
  "knows nobody by unique id": (one) => labelsOf(one, {}),
  "forgets account, Region and service": (one, ids) => {
    const labels = labelsOf(one, ids);
    return labels && { ...labels, parts: [] };
  },
};

for (const [rule, file] of Object.entries(wrongFilings)) {
  test(`twin: an index that ${rule} is noticed`, () => {
    ok(askBoth(file, 2_000, 1).wrong.length > 0);
  });
}

/** Whether the evaluator and the reference, which knows no index, decide alike. */
function alike(request: DecisionRequest): boolean {
  const { statements, ...found } = decide(request);
  const named = statements.map(
    ({ policyKind, policyName, statementIndex }) => `${policyKind}:${policyName}#${statementIndex}`,
  );
  const expected = referenceDecide(request);
  return JSON.stringify({ ...found, statements: named.sort() }) === JSON.stringify(expected);
}

const decisions = testRuns(1_000);

test(`${decisions} decisions on long lists agree with the reference (seed ${seed})`, () => {
  const dice = new Dice(seed + 1);
  let allowed = 0;
  for (let count = 0; count < decisions; ) {
    for (const request of crowdedScenario(dice, 5)) {
      count++;
      if (decide(request).allowed) allowed++;
      ok(alike(request), `SEALPOST_TEST_SEED=${seed}, case ${count}: ${JSON.stringify(request)}`);
    }
  }
  ok(allowed > decisions / 20 && allowed < decisions / 2, `${allowed} were allowed`);
});
