import { deepEqual, equal } from "node:assert/strict";
import type { DrillReport } from "./ledger.ts";

/** Prints the counts of a drill and asserts that every promise was kept. */
export function check(name: string, report: DrillReport): void {
  const { violations, ...counts } = report;
  console.log(`${name}: ${JSON.stringify(counts)}`);
  deepEqual(violations, []);
  equal(counts.acknowledged > 0, true);
  equal(counts.afterwards > 0, true, "clients recovered");
  // A fault outside is answered so that clients try again; 500 would be a bug of ours.
  const retried = Object.keys(counts.retried);
  deepEqual(
    retried.filter((why) => why.startsWith("500")),
    [],
  );
}

/** The same, where somebody must have met the fault. */
export function checkMet(name: string, report: DrillReport): void {
  check(name, report);
  equal(Object.keys(report.retried).length > 0, true, "the fault was met");
}
