/**
 * When a delivery to a queue that failed on our side is tried again.
 *
 * AWS: 3 retries at once, 2 a second apart, 10 with delays that grow from 1 to 20 s, then 100,000
 * every 20 s: 100,015 in 23 days. DIFFERS: no jitter; one server has nobody to stay clear of.
 */
const immediate = 3;
const preBackoff = 2;
const backoff = 10;
const postBackoff = 100_000;
const delayMsMin = 1_000;
const delayMsMax = 20_000;

/**
 * Milliseconds until the next attempt after `attempts` failed ones (1 or more); undefined when all
 * are used up.
 */
export function retryDelayMs(attempts: number): number | undefined {
  const retry = attempts - 1;
  if (retry < immediate) return 0;
  if (retry < immediate + preBackoff) return delayMsMin;
  const step = retry - immediate - preBackoff;
  if (step < backoff) {
    return Math.round(delayMsMin * (delayMsMax / delayMsMin) ** (step / (backoff - 1)));
  }
  return step < backoff + postBackoff ? delayMsMax : undefined;
}
