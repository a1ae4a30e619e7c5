/** How often KMS is asked, by AWS's formulas. `B`: the period; `D`: how long a data key serves. */
export interface Rate {
  /** B, seconds. */
  readonly periodSeconds: number;
  /** D, seconds. */
  readonly reuseSeconds: number;
}

/** B / D × times; what begins a last, shorter D costs all of it. */
export function requestsOf({ periodSeconds, reuseSeconds }: Rate, times: number): number {
  return Math.ceil((periodSeconds * times) / reuseSeconds);
}

/** AWS: topics, B / D × (2 × P): a data key is made and opened again for each publisher. */
export function topicTimes(publishers: number): number {
  return 2 * publishers;
}

/** AWS: queues, B / D × (2 × P + C), P producers and C consumers. */
export function queueTimes(producers: number, consumers: number): number {
  return 2 * producers + consumers;
}

/**
 * DIFFERS: a queue here. Sending asks for a data key and opens none; each consumer opens the data
 * keys of all producers, if it meets messages of all of them: B / D × (P + P × C), or 2 × P for P
 * where sending needs kms:Decrypt. A backlog adds a Decrypt for each older data key and consumer.
 */
export function ownQueueTimes(
  producers: number,
  consumers: number,
  requireDecryptToSend: boolean,
): number {
  return (requireDecryptToSend ? 2 : 1) * producers + producers * consumers;
}

/** US dollars. */
export interface Prices {
  readonly currency: "USD";
  readonly perTenThousandRequests: number;
  readonly perKeyAndMonth: number;
}

/** AWS: KMS, us-east-1. */
export const awsPrices: Prices = {
  currency: "USD",
  perTenThousandRequests: 0.03,
  perKeyAndMonth: 1,
};

/** Rounded to a millionth, so that sums read like sums. */
export function priceOf(requests: number, { perTenThousandRequests }: Prices): number {
  return rounded((requests / 10_000) * perTenThousandRequests);
}

const monthSeconds = (365 / 12) * 86_400;

/** AWS charges a customer managed key by the hour. */
export function keyPrice(periodSeconds: number, { perKeyAndMonth }: Prices): number {
  return rounded((periodSeconds / monthSeconds) * perKeyAndMonth);
}

function rounded(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
