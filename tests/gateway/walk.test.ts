// Goal: a call goes the same way whether its steps are waited for or done at once. Method: every
// combination of steps that are there or still to come, each step in turn being the one that fails.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveCall } from "../../src/gateway/live-call.ts";
import { createRoom } from "../../src/gateway/room.ts";
import { type WalkDependencies, walk } from "../../src/gateway/walk.ts";
import { Work } from "../../src/gateway/work.ts";
import { Fault, Refusal } from "../../src/kernel/errors.ts";
import type { AnyOperation, ServiceTable } from "../../src/kernel/operation.ts";
import type { RecordView } from "../../src/kernel/records.ts";
import { isPromise, type Soon } from "../../src/kernel/soon.ts";
import { accountId, alice, transport } from "../audit/finished.ts";

const steps = ["resources", "authorize", "handle", "audit"] as const;
type Step = (typeof steps)[number];

const table: ServiceTable = {
  name: "sqs",
  eventSource: "sqs.amazonaws.com",
  operations: new Map(),
  accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
};

interface Told {
  readonly waited: boolean;
  readonly result: unknown;
  readonly went: readonly string[];
  readonly refused: readonly string[];
  readonly left: number;
}

/** One call, with these of its steps still to come, and one that fails with an error. */
async function callWith(later: ReadonlySet<Step>, failing?: Step, error?: Error): Promise<Told> {
  const went: string[] = [];
  const refused: string[] = [];
  let failures = 0;
  const step = <T>(name: Step, value: T): Soon<T> => {
    went.push(name);
    // The record of the failure is written where the step that failed was another one.
    const fails = name === failing && failures++ === 0;
    if (later.has(name)) return fails ? Promise.reject(error) : Promise.resolve(value);
    if (fails) throw error;
    return value;
  };
  const use = { arn: "arn:aws:sqs:us-east-1:1:q", accountId };
  const operation: AnyOperation = {
    name: "SendMessage",
    access: "write",
    audit: { category: "data", readOnly: false },
    resources: () => step("resources", [use]),
    handle: () => step("handle", { output: "sent" }),
  };
  const deps: WalkDependencies = {
    authorizer: { authorize: () => step("authorize", undefined) },
    auditor: {
      record: ({ resources, result }) => {
        went.push("outcome" in result ? "of success" : `of ${result.error.message}`);
        went.push(`${resources.length} resources`);
        return step("audit", { kind: "audit.append" });
      },
    },
    allowInsecureSse: false,
    refused: ({ refusal }) => refused.push(refusal.code),
  };
  const work = new Work(createRoom());
  const asked = {
    requestId: "r",
    service: "sqs",
    operation: "SendMessage",
    caller: alice,
    region: "us-east-1",
    accountId,
    transport,
    via: undefined,
    client: { signal: new AbortController().signal },
  };
  const call = new LiveCall(asked, { now: 0, systemMs: 0 }, {} as RecordView, work);
  const told = (waited: boolean, result: unknown): Told => {
    return { waited, result, went, refused, left: work.events.length };
  };
  let waited = false;
  try {
    const walked = walk<string>(deps, table, operation, call, {});
    waited = isPromise(walked);
    const { outcome, event } = await walked;
    return told(waited, [outcome.output, event?.kind]);
  } catch (thrown) {
    return told(waited, thrown);
  }
}

const combinations = Array.from(
  { length: 2 ** steps.length },
  (_, bits) => new Set(steps.filter((_step, at) => bits & (1 << at))),
);

test("a call is done at once where every step is there, and in the same way else", async () => {
  for (const later of combinations) {
    const { waited, ...told } = await callWith(later);
    assert.equal(waited, later.size > 0);
    const went = ["resources", "authorize", "handle", "of success", "1 resources", "audit"];
    assert.deepEqual(told, { result: ["sent", "audit.append"], went, refused: [], left: 0 });
  }
});

const errors = [
  new Refusal("AccessDenied", "no"),
  new Fault("disk-full", "full"),
  new Error("bug"),
];

test("a failure is recorded, told and thrown in the same way, at once or later", async () => {
  for (const failing of steps) {
    for (const error of errors) {
      const { waited: _at, ...expected } = await callWith(new Set(), failing, error);
      assert.equal(expected.result, error);
      assert.deepEqual(expected.refused, error instanceof Refusal ? ["AccessDenied"] : []);
      // A bug is no answer to anybody: it is logged, not recorded.
      const recorded = error instanceof Refusal || error instanceof Fault;
      assert.equal(expected.went.includes(`of ${error.message}`), recorded);
      assert.equal(expected.left, recorded ? 1 : 0);
      for (const later of combinations) {
        const { waited: _later, ...told } = await callWith(later, failing, error);
        assert.deepEqual(told, expected);
      }
    }
  }
});
