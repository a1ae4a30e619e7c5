import { pathToFileURL } from "node:url";
import { createMatcher, type Filtered } from "../src/services/sns/filter/matcher.ts";
import { readFilterPolicy } from "../src/services/sns/filter/read.ts";

/**
 * What choosing the subscriptions of a message costs: `node bench/filters.ts`. Goal: a message that
 * meets one of 10,000 exact-match policies costs at most 3 times one that meets one of 10.
 */
const factorMax = 3;

function subscriptions(count: number): Filtered<number>[] {
  return Array.from({ length: count }, (_, index) => {
    const text = JSON.stringify({ tenant: [`tenant-${index}`], kind: ["order", "refund"] });
    const read = readFilterPolicy(text, "MessageAttributes");
    if ("problem" in read) throw new Error(read.problem);
    return { subject: index, filter: { scope: "MessageAttributes", policy: read.policy } };
  });
}

const message = {
  body: "{}",
  attributes: {
    tenant: { Type: "String", Value: "tenant-7" },
    kind: { Type: "String", Value: "order" },
  },
};

/** Microseconds of one choice, the best of several runs. */
export function microsecondsPerMessage(count: number, messages = 20_000): number {
  const matcher = createMatcher(subscriptions(count));
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run += 1) {
    const start = performance.now();
    for (let index = 0; index < messages; index += 1) {
      if (matcher.select(message).selected.length !== 1) throw new Error("one was to be met");
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / messages);
  }
  return best;
}

export function measureFilters(): { few: number; many: number; factor: number } {
  const few = microsecondsPerMessage(10);
  const many = microsecondsPerMessage(10_000);
  return { few, many, factor: many / few };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { few, many, factor } = measureFilters();
  console.log(`1 of 10: ${few.toFixed(2)} µs; 1 of 10,000: ${many.toFixed(2)} µs`);
  console.log(`factor ${factor.toFixed(2)} (goal: at most ${factorMax})`);
  process.exitCode = factor <= factorMax ? 0 : 1;
}
