import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import { prepare } from "./act.ts";

/** Numbers reserved at a time: a start of the store burns at most this many of 2^53. */
const block = 2 ** 24;
/** More than one transaction can use. */
const reserveBelow = 2 ** 20;

/**
 * Numbers that only grow and are never given out twice, also over restarts and rolled-back
 * transactions: the place of a message in its queue, of an event in the audit.
 */
export interface Sequence {
  next(): number;
  /** Call first in each transaction, before any savepoint: reserves another block when low. */
  reserve(): void;
  /** The transaction was rolled back, and perhaps a reservation with it. */
  reload(): void;
}

export function createSequence(database: DatabaseSync, name: string): Sequence {
  const read = prepare<{ reservedUntil: number }>(
    database,
    "SELECT reserved_until AS reservedUntil FROM counters WHERE name = ?",
  );
  const write = prepare(database, "INSERT OR REPLACE INTO counters VALUES (?, ?)");
  const stored = () => read.get(name)?.reservedUntil ?? 1;
  let next = stored();
  let reservedUntil = next;
  return {
    next() {
      assert(next < reservedUntil, "sequence numbers are reserved before use");
      next += 1;
      return next - 1;
    },
    reserve() {
      if (reservedUntil - next > reserveBelow) return;
      reservedUntil = next + block;
      write.run(name, reservedUntil);
    },
    reload() {
      reservedUntil = stored();
    },
  };
}
