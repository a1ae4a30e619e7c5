import type { DatabaseSync } from "node:sqlite";
import type { FifoInsert, NewMessage } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";

/** What was sent to a FIFO queue lately; it outlives the messages themselves. */
export interface Deduplications {
  /** The first send of this message, if it is still remembered. */
  find(history: number, fifo: FifoInsert, message: NewMessage): FirstSend | undefined;
  remember(history: number, fifo: FifoInsert, message: NewMessage, sequence: number): void;
  /** The history of each row removed. */
  forget(beforeMs: number, rowsMax: number): number[];
}

export interface FirstSend {
  readonly messageId: string;
  readonly sequence: number;
}

export function createDeduplications(database: DatabaseSync): Deduplications {
  const get = prepare<FirstSend>(
    database,
    `SELECT message_id AS messageId, sequence FROM deduplications
      WHERE history = ? AND digest = ? AND sent_ms > ?`,
  );
  const put = prepare(database, "INSERT OR REPLACE INTO deduplications VALUES (?, ?, ?, ?, ?)");
  const forget = prepare<{ history: number }>(
    database,
    `DELETE FROM deduplications WHERE (history, digest) IN (
       SELECT history, digest FROM deduplications WHERE sent_ms < ? ORDER BY sent_ms LIMIT ?)
     RETURNING history`,
  );
  return {
    find(history, { nowMs, rememberMs }, { deduplication = [] }) {
      for (const digest of deduplication) {
        const first = get.get(history, digest, nowMs - rememberMs);
        if (first) return first;
      }
      return undefined;
    },
    remember(history, { nowMs }, { messageId, deduplication }, sequence) {
      const [digest] = deduplication ?? [];
      if (!digest) return;
      put.run(history, digest, messageId, sequence, nowMs);
    },
    forget: (beforeMs, rowsMax) => forget.all(beforeMs, rowsMax).map(({ history }) => history),
  };
}
