import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import { prepare } from "./act.ts";

/**
 * The order of the messages in each group of a FIFO queue: a chain, each with the number of its
 * next. An index by group would put every send into a page of its own; the end of a chain was sent
 * lately, so it lies where the new message comes to lie.
 */
export interface GroupOrder {
  /** Puts a message at the end; whether it is the only one of its group. */
  append(queue: number, groupId: string, sequence: number, readyAtMs: number): boolean;
  /** The one after this; 0: none. */
  next(sequence: number): number;
  /** Takes messages out; answers what is the first now; 0: nothing is left. */
  remove(queue: number, groupId: string, sequences: Iterable<number>): number;
}

interface Ends {
  readonly head: number;
  readonly tail: number;
}

export function createGroupOrder(database: DatabaseSync): GroupOrder {
  const ends = prepare<Ends>(
    database,
    `SELECT head_sequence AS head, tail_sequence AS tail FROM message_groups
      WHERE queue = ? AND group_id = ?`,
  );
  const putGroup = prepare(database, "INSERT INTO message_groups VALUES (?, ?, ?, ?, ?)");
  const setTail = prepare(
    database,
    "UPDATE message_groups SET tail_sequence = ? WHERE queue = ? AND group_id = ?",
  );
  const putLink = prepare(database, "INSERT INTO message_links VALUES (?, 0)");
  const setNext = prepare(
    database,
    "UPDATE message_links SET next_sequence = ? WHERE sequence = ?",
  );
  const getNext = prepare<{ next: number }>(
    database,
    "SELECT next_sequence AS next FROM message_links WHERE sequence = ?",
  );

  function next(sequence: number): number {
    const link = getNext.get(sequence);
    assert(link, "a message of a FIFO queue has its place in the order of its group");
    return link.next;
  }

  /** From the head, which stays: what goes is nearly always among the first. */
  function removeAfter(head: number, gone: Set<number>): number {
    let last = head;
    while (gone.size > 0) {
      const after = next(last);
      assert(after > 0, "what goes is in the order of its group");
      if (gone.delete(after)) setNext.run(next(after), last);
      else last = after;
    }
    return last;
  }

  return {
    append(queue, groupId, sequence, readyAtMs) {
      const known = ends.get(queue, groupId);
      putLink.run(sequence);
      if (known === undefined) {
        putGroup.run(queue, groupId, sequence, sequence, readyAtMs);
        return true;
      }
      setNext.run(sequence, known.tail);
      setTail.run(sequence, queue, groupId);
      return false;
    },
    next,
    remove(queue, groupId, sequences) {
      const known = ends.get(queue, groupId);
      assert(known, "a message of a FIFO queue has a group");
      const gone = new Set(sequences);
      let { head } = known;
      while (head > 0 && gone.delete(head)) head = next(head);
      if (head === 0) return 0;
      const tailGoes = gone.has(known.tail);
      const last = removeAfter(head, gone);
      if (tailGoes) setTail.run(last, queue, groupId);
      return head;
    },
  };
}
