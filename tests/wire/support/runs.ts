/** Runs per property; SEALPOST_TEST_RUNS raises or lowers it for the whole folder. */
export function propertyRuns(usual: number): number {
  const wanted = process.env.SEALPOST_TEST_RUNS;
  if (wanted === undefined) return usual;
  const runs = Number(wanted);
  if (!Number.isInteger(runs) || runs < 1) throw new Error("SEALPOST_TEST_RUNS is no number");
  return runs;
}
