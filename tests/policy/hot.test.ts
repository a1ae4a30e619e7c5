// Goal: what is hot stays as fast as it is when other policies exist beside it. Method: lookup and
// decision of one user are measured alone and beside 100 others whose policies were read and
// compiled; the twin shows that work which grows with the others would be seen. What policies have
// in common is one object in all of them.
import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { requestWith } from "../../bench/alice.ts";
import {
  addOthers,
  decisionMicroseconds,
  lookupMicroseconds,
  twentyAttached,
} from "../../bench/identity.ts";
import { compilePolicy } from "../../src/auth/policy/compile.ts";
import { decide } from "../../src/auth/policy/index.ts";
import { identityPolicies } from "../../src/services/iam/ports.ts";

/** Far from 1, as a busy machine disturbs; work for each of the others would be far above it. */
const timesMax = 5;

test("an unchanged hot decision is not slower because other policies exist", async () => {
  const { bed, caller } = await twentyAttached();
  const lookup = await lookupMicroseconds(bed, caller);
  const decision = await decisionMicroseconds(bed, caller);
  await addOthers(bed, 100);
  const lookupBeside = await lookupMicroseconds(bed, caller);
  const decisionBeside = await decisionMicroseconds(bed, caller);
  ok(lookupBeside < lookup * timesMax, `lookup ${lookup} µs, beside others ${lookupBeside} µs`);
  ok(
    decisionBeside < decision * timesMax,
    `decision ${decision} µs, beside others ${decisionBeside} µs`,
  );
});

test("twin: a decision that looks at the policies of the others is far above the limit", async () => {
  const { bed, caller } = await twentyAttached();
  const alone = await decisionMicroseconds(bed, caller);
  const { identity } = await identityPolicies.of(bed.state.view(), caller);
  // A list that was never seen before is looked through whole.
  const everyones = () => requestWith(Array.from({ length: 300 }, () => identity).flat());
  decide(everyones());
  const unseen = everyones();
  const start = performance.now();
  decide(unseen);
  const all = (performance.now() - start) * 1000;
  ok(all > alone * timesMax, `${alone} µs alone, ${all} µs with all`);
});

test("policies of different queues share what is made of equal texts, and nothing else", () => {
  const partsOf = (name: string) => {
    const Resource = `arn:aws:sqs:us-*:111122223333:${name}`;
    const Statement = { Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource };
    const [compiled] = compilePolicy(JSON.stringify({ Statement }), "resource");
    const [resource] = compiled?.resources ?? [];
    return [...(compiled?.actions ?? []), ...(Array.isArray(resource) ? resource : [])];
  };
  const [one, other] = [partsOf("orders"), partsOf("refunds")];
  deepEqual(
    one.map((glob, index) => glob === other[index]),
    [true, true, true, true, false, true, false],
  );
});
