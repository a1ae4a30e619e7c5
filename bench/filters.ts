import { createMatcher, type Filtered } from "../src/services/sns/filter/matcher.ts";
import { readFilterPolicy } from "../src/services/sns/filter/read.ts";

/**
 * What choosing the subscriptions of a message costs: `node bench/filters.ts`. Goals: a message that
 * meets one of 10,000 exact-match policies costs at most 3 times one that meets one of 10; of 1,000
 * policies of any kind that it does not meet, no more than of 10.
 */
const factorMax = 3;

type PolicyOf = (index: number) => object;

const tenants: PolicyOf = (index) => ({ tenant: [`tenant-${index}`], kind: ["order", "refund"] });

/** Policies that the message meets none of. */
const strangers: Readonly<Record<string, PolicyOf>> = {
  exact: (index) => ({ kind: [`other-${index}`] }),
  prefix: (index) => ({ kind: [{ prefix: `other-${index}-` }] }),
  suffix: (index) => ({ kind: [{ suffix: `-other-${index}` }] }),
  "equals-ignore-case": (index) => ({ kind: [{ "equals-ignore-case": `Other-${index}` }] }),
  "numeric, between": (index) => ({ size: [{ numeric: [">", 100 + index, "<=", 101 + index] }] }),
  "numeric, above": (index) => ({ size: [{ numeric: [">", 100 + index] }] }),
  exists: (index) => ({ [`name-${index}`]: [{ exists: true }] }),
  "exists, not": () => ({ kind: [{ exists: false }] }),
  "anything-but": (index) => ({ kind: [{ "anything-but": ["order", index % 10] }] }),
  cidr: (index) => ({ from: [{ cidr: `10.${index >> 8}.${index & 255}.0/24` }] }),
};

const message = {
  body: "{}",
  attributes: {
    tenant: { Type: "String", Value: "tenant-7" },
    kind: { Type: "String", Value: "order" },
    size: { Type: "Number", Value: "7" },
    from: { Type: "String", Value: "192.168.1.1" },
  },
};

function subscriptions(count: number, policyOf: PolicyOf): Filtered<number>[] {
  return Array.from({ length: count }, (_, index) => {
    const read = readFilterPolicy(JSON.stringify(policyOf(index)), "MessageAttributes");
    if ("problem" in read) throw new Error(read.problem);
    return { subject: index, filter: { scope: "MessageAttributes", policy: read.policy } };
  });
}

/** Microseconds of one choice, the best of several runs. */
function microsecondsPerMessage(count: number, policyOf: PolicyOf, met: number): number {
  const messages = 20_000;
  const matcher = createMatcher(subscriptions(count, policyOf));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run += 1) {
    const start = performance.now();
    for (let index = 0; index < messages; index += 1) {
      const { selected } = matcher.select(message);
      if (selected.length !== met) throw new Error(`${met} were to be met`);
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / messages);
  }
  return best;
}

const few = microsecondsPerMessage(10, tenants, 1);
const many = microsecondsPerMessage(10_000, tenants, 1);
console.log(`1 of 10: ${few.toFixed(2)} µs; 1 of 10,000: ${many.toFixed(2)} µs`);
console.log(`factor ${(many / few).toFixed(2)} (goal: at most ${factorMax})`);
console.log("none of 10 and none of 1,000, µs:");
for (const [name, policyOf] of Object.entries(strangers)) {
  const costs = [10, 1_000].map((count) => microsecondsPerMessage(count, policyOf, 0).toFixed(2));
  console.log(`  ${name.padEnd(20)} ${costs.join("  ")}`);
}
process.exitCode = many / few <= factorMax ? 0 : 1;
