import type { BackoffFunction, HealthyRetryPolicy } from "./delivery-policy.ts";

/** Retries in phases: at once, at the least delay, with growing delays, at the greatest delay. */
export interface RetrySchedule {
  readonly immediate: number;
  readonly preBackoff: number;
  readonly backoff: number;
  readonly postBackoff: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  readonly backoffFunction: BackoffFunction;
  /** All delays together; undefined: as long as there are retries. */
  readonly totalMsMax: number | undefined;
}

/**
 * AWS: SQS, Lambda and Firehose: 3 retries at once, 2 a second apart, 10 with delays that grow from
 * 1 to 20 s, then 100,000 every 20 s: 100,015 in 23 days. DIFFERS: no jitter; one server has nobody
 * to stay clear of.
 */
export const awsManagedSchedule: RetrySchedule = {
  immediate: 3,
  preBackoff: 2,
  backoff: 10,
  postBackoff: 100_000,
  delayMsMin: 1_000,
  delayMsMax: 20_000,
  backoffFunction: "geometric",
  totalMsMax: undefined,
};

/** AWS: mail, SMS and push: 50 retries in 6 hours. */
export const customerManagedSchedule: RetrySchedule = {
  immediate: 0,
  preBackoff: 2,
  backoff: 10,
  postBackoff: 38,
  delayMsMin: 10_000,
  delayMsMax: 600_000,
  backoffFunction: "geometric",
  totalMsMax: undefined,
};

/** AWS: http(s), from its delivery policy; all delays together at most an hour. */
export function httpSchedule(policy: HealthyRetryPolicy): RetrySchedule {
  const { numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries } = policy;
  return {
    immediate: numNoDelayRetries,
    preBackoff: numMinDelayRetries,
    backoff: numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries,
    postBackoff: numMaxDelayRetries,
    delayMsMin: policy.minDelayTarget * 1000,
    delayMsMax: policy.maxDelayTarget * 1000,
    backoffFunction: policy.backoffFunction,
    totalMsMax: 3_600_000,
  };
}

/**
 * Milliseconds until the next attempt after `attempts` failed ones (1 or more); undefined when all
 * are used up.
 */
export function retryDelayMs(schedule: RetrySchedule, attempts: number): number | undefined {
  const delayMs = plainDelayMs(schedule, attempts);
  const { totalMsMax } = schedule;
  if (delayMs === undefined || totalMsMax === undefined) return delayMs;
  let totalMs = delayMs;
  for (let before = 1; before < attempts; before += 1) {
    totalMs += plainDelayMs(schedule, before) ?? 0;
  }
  return totalMs > totalMsMax ? undefined : delayMs;
}

function plainDelayMs(schedule: RetrySchedule, attempts: number): number | undefined {
  const { immediate, preBackoff, backoff, postBackoff, delayMsMin, delayMsMax } = schedule;
  const retry = attempts - 1;
  if (retry < immediate) return 0;
  if (retry < immediate + preBackoff) return delayMsMin;
  const step = retry - immediate - preBackoff;
  if (step < backoff) return Math.round(backoffMs(schedule, step));
  return step < backoff + postBackoff ? delayMsMax : undefined;
}

/**
 * Delay of one step, from the least at the first to the greatest at the last. AWS?: the curves are
 * shown in its guide without their formulas.
 */
function backoffMs(schedule: RetrySchedule, step: number): number {
  const { backoff, delayMsMin: least, delayMsMax: most } = schedule;
  const last = backoff - 1;
  if (last < 1) return least;
  switch (schedule.backoffFunction) {
    case "linear":
      return least + ((most - least) * step) / last;
    case "arithmetic":
      return least + ((most - least) * step * (step + 1)) / (last * (last + 1));
    case "geometric":
      return least * (most / least) ** (step / last);
    case "exponential":
      return least + ((most - least) * (2 ** step - 1)) / (2 ** last - 1);
  }
}
