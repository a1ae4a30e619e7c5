import assert from "node:assert/strict";
import { Refusal } from "../../../src/kernel/errors.ts";

/** Runs what must be refused and answers the refusal; anything else fails the test. */
export function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    assert(error instanceof Refusal, `refused, not failed: ${error}`);
    return error;
  }
  return assert.fail("nothing was refused");
}

/** Code and text of a refusal, for comparison in one line. */
export function codeAndText(run: () => unknown): readonly [string, string] {
  const refusal = refusalOf(run);
  return [refusal.code, refusal.message];
}
