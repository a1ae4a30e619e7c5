import type { DatabaseSync } from "node:sqlite";
import type { FifoInsert, NewMessage, QueueIdentity } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";

/** What was sent to a FIFO queue lately; it outlives the messages themselves. */
export interface Deduplications {
  /** The first send of this message, if it is still remembered. */
  find(queue: QueueIdentity, fifo: FifoInsert, message: NewMessage): FirstSend | undefined;
  remember(queue: QueueIdentity, fifo: FifoInsert, message: NewMessage, sequence: number): void;
  /** Rows removed. */
  forget(beforeMs: number, rowsMax: number): number;
}

export interface FirstSend {
  readonly messageId: string;
  readonly sequence: number;
}

export function createDeduplications(database: DatabaseSync): Deduplications {
  const get = prepare<FirstSend>(
    database,
    `SELECT message_id AS messageId, sequence FROM deduplications
      WHERE account_id = ? AND region = ? AND history_id = ? AND digest = ? AND sent_ms > ?`,
  );
  const put = prepare(
    database,
    "INSERT OR REPLACE INTO deduplications VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const forget = prepare(
    database,
    `DELETE FROM deduplications WHERE (account_id, region, history_id, digest) IN (
       SELECT account_id, region, history_id, digest FROM deduplications
        WHERE sent_ms < ? ORDER BY sent_ms LIMIT ?)`,
  );
  return {
    find({ accountId, region }, { historyId, nowMs, rememberMs }, { deduplication = [] }) {
      for (const digest of deduplication) {
        const first = get.get(accountId, region, historyId, digest, nowMs - rememberMs);
        if (first) return first;
      }
      return undefined;
    },
    remember({ accountId, region }, { historyId, nowMs }, { messageId, deduplication }, sequence) {
      const [digest] = deduplication ?? [];
      if (!digest) return;
      put.run(accountId, region, historyId, digest, messageId, sequence, nowMs);
    },
    forget: (beforeMs, rowsMax) => forget.run(beforeMs, rowsMax),
  };
}
