/** What is wanted for numbers from `low` to `high`, both included. */
export interface Range<T> {
  readonly low: number;
  readonly high: number;
  readonly item: T;
}

/**
 * Finds the ranges around a number. They lie in order of their lower ends, each with the highest
 * end up to there: from the last one that begins low enough the search goes back for as long as any
 * reaches so high. Narrow ranges are left soon, and wide ones are mostly found.
 */
export function createRanges<T>(
  ranges: readonly Range<T>[],
): (value: number, each: (item: T) => void) => void {
  const sorted = ranges.toSorted((one, other) => one.low - other.low || one.high - other.high);
  let highest = Number.NEGATIVE_INFINITY;
  const reach = sorted.map(({ high }) => {
    highest = Math.max(highest, high);
    return highest;
  });
  return (value, each) => {
    let from = 0;
    let end = sorted.length;
    while (from < end) {
      const middle = (from + end) >>> 1;
      if ((sorted[middle]?.low ?? 0) <= value) from = middle + 1;
      else end = middle;
    }
    for (let at = from - 1; at >= 0 && (reach[at] ?? 0) >= value; at -= 1) {
      const range = sorted[at];
      if (range && range.high >= value) each(range.item);
    }
  };
}
