import type { Case } from "./cases.ts";
import type { Slice, Target } from "./measure.ts";
import type { Row } from "./results.ts";
import type { Clients } from "./setup.ts";

/**
 * Counts the messages in the queues: fewer than were answered with success, and the rows that fed
 * that queue are marked as failed. (There are more: warm-ups lie there too.)
 */
export async function markMissing(
  rows: readonly Row[],
  cases: readonly Case[],
  slices: ReadonlyMap<Target, Slice[]>,
  clientsOf: (target: Target) => Clients,
): Promise<Row[]> {
  const queues = new Map<string, { expected: number; clients: Clients }>();
  for (const { target, lands } of cases) {
    const messages = (slices.get(target) ?? []).reduce((sum, slice) => sum + slice.messages, 0);
    for (const url of lands?.queueUrls ?? []) {
      const key = keyOf(target, url);
      const known = queues.get(key) ?? { expected: 0, clients: clientsOf(target) };
      queues.set(key, { ...known, expected: known.expected + messages });
    }
  }
  const missing = new Map<string, number>();
  for (const [key, { expected, clients }] of queues) {
    const found = await depth(clients, key.slice(key.indexOf(" ") + 1));
    if (found < expected) missing.set(key, expected - found);
  }
  return rows.map((row, at) => {
    const target = cases[at]?.target;
    const lost = (row.lands?.queueUrls ?? []).reduce(
      (sum, url) => sum + (target ? (missing.get(keyOf(target, url)) ?? 0) : 0),
      0,
    );
    if (lost === 0) return row;
    const firstFailure = `${lost} messages are not in the queues behind this row`;
    return { ...row, failed: row.failed + lost, firstFailure: row.firstFailure || firstFailure };
  });
}

/** Two servers may have queues of the same name. */
function keyOf(target: Target, url: string): string {
  return `${"pid" in target ? target.pid : 0} ${url}`;
}

async function depth({ sqs }: Clients, QueueUrl: string): Promise<number> {
  const { Attributes } = await sqs.getQueueAttributes({
    QueueUrl,
    AttributeNames: ["ApproximateNumberOfMessages"],
  });
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
}
