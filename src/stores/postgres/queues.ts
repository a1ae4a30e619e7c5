import { assert } from "../../kernel/errors.ts";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import { integers, texts } from "./columns.ts";
import type { Session } from "./session.ts";

/** The numbers of queues' lives, each read once by this process. */
export interface Queues {
  /** Learns the numbers that are not known yet; a queue that nobody named before gets one. */
  learn(session: Session, queues: readonly QueueIdentity[]): Promise<void>;
  numberOf(queue: QueueIdentity): number;
  /** Those of the queues that can still be used, by number. */
  alive(session: Session, queues: readonly QueueIdentity[]): Promise<ReadonlySet<number>>;
}

const knownMax = 100_000;

export function queueKey({ accountId, region, queueId }: QueueIdentity): string {
  return `${accountId}/${region}/${queueId}`;
}

export function createQueues(): Queues {
  const known = new Map<string, number>();
  const numberOf = (queue: QueueIdentity): number => {
    const number = known.get(queueKey(queue));
    assert(number !== undefined, "the numbers of queues are learned before they are used");
    return number;
  };
  return {
    numberOf,
    async learn(session, queues) {
      if (known.size > knownMax) known.clear();
      const missing = new Map<string, QueueIdentity>();
      for (const queue of queues) {
        const key = queueKey(queue);
        if (!known.has(key)) missing.set(key, queue);
      }
      if (missing.size === 0) return;
      const sorted = [...missing].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, it]) => it);
      const rows = await number(session, sorted);
      for (const row of rows) known.set(queueKey(row), row.number);
    },
    async alive(session, queues) {
      const numbers = [...new Set(queues.map(numberOf))];
      const rows = await session.all<{ number: number }>(
        "SELECT number FROM queues WHERE number = ANY($1::int8[]) AND NOT discarded",
        integers(numbers),
      );
      return new Set(rows.map((row) => row.number));
    },
  };
}

async function number(session: Session, queues: readonly QueueIdentity[]) {
  const names = [
    texts(queues.map(({ accountId }) => accountId)),
    texts(queues.map(({ region }) => region)),
    texts(queues.map(({ queueId }) => queueId)),
  ];
  await session.run(
    `INSERT INTO queues (account_id, region, queue_id)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING`,
    ...names,
  );
  return session.all<QueueIdentity & { readonly number: number }>(
    `SELECT account_id AS "accountId", region, queue_id AS "queueId", number
       FROM unnest($1::text[], $2::text[], $3::text[]) AS asked(account_id, region, queue_id)
       JOIN queues USING (account_id, region, queue_id)`,
    ...names,
  );
}
