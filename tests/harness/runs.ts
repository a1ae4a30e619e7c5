/** Runs of a random test: SEALPOST_TEST_RUNS times the usual number. */
export function testRuns(usual: number): number {
  const factor = Number(process.env.SEALPOST_TEST_RUNS ?? 1);
  if (!(factor > 0)) throw new Error("SEALPOST_TEST_RUNS is not a factor, like 10 or 0.1");
  return Math.max(1, Math.round(usual * factor));
}
