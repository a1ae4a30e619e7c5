import type { DatabaseSync } from "node:sqlite";
import { prepare } from "./act.ts";

/**
 * Messages that are gone, and whose bodies are still to be removed. Bodies lie in the order of
 * sending; consumers of many groups, or many queues, delete here and there. Removed one by one each
 * would cost the rewrite of a page; removed together, neighbours share it or free it as a whole.
 */
export interface Spent {
  /** The message has no state any more; its body, of `sizeBytes`, can go. */
  add(queue: number, sequence: number, sizeBytes: number): void;
  /** Removes all of them once they are many. Links of a group must not be needed any more. */
  sweepMany(): void;
  sweep(): void;
  reload(): void;
}

/** Of a row `body` of `message_bodies`: its message is still there. */
export const unspent =
  "NOT EXISTS (SELECT 1 FROM spent_messages WHERE spent_messages.sequence = body.sequence)";

const messagesMax = 4096;
const bytesMax = 2 ** 24;

export function createSpent(database: DatabaseSync): Spent {
  const put = prepare(database, "INSERT INTO spent_messages VALUES (?, ?)");
  const count = prepare<{ count: number }>(
    database,
    "SELECT count(*) AS count FROM spent_messages",
  );
  const removals = ["message_bodies", "message_links"].map((table) =>
    prepare(
      database,
      `DELETE FROM ${table} WHERE sequence IN (SELECT sequence FROM spent_messages)`,
    ),
  );
  const clear = prepare(database, "DELETE FROM spent_messages");
  let messages = 0;
  let bytes = 0;

  function sweep(): void {
    if (messages === 0) return;
    for (const removal of removals) removal.run();
    clear.run();
    messages = 0;
    bytes = 0;
  }

  function reload(): void {
    messages = count.get()?.count ?? 0;
    // How large they are is not known any more: the next one takes them along.
    bytes = messages > 0 ? bytesMax : 0;
  }

  reload();
  return {
    add(queue, sequence, sizeBytes) {
      put.run(sequence, queue);
      messages += 1;
      bytes += sizeBytes;
    },
    sweep,
    sweepMany() {
      if (messages >= messagesMax || bytes >= bytesMax) sweep();
    },
    reload,
  };
}
