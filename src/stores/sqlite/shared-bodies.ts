import type { DatabaseSync } from "node:sqlite";
import { prepare } from "./act.ts";

/** Body parts that several messages have, each stored once. */
export interface SharedBodies {
  /**
   * The number of a body part; null of none. One that comes first in this transaction is put in,
   * under the sequence of the message that has it.
   */
  numberOf(bodyPart: Uint8Array | undefined, sequence: number): number | null;
  /** Call first in each transaction, and when something was rolled back. */
  begin(): void;
}

export function createSharedBodies(database: DatabaseSync): SharedBodies {
  const put = prepare(database, "INSERT INTO shared_bodies (number, bytes) VALUES (?, ?)");
  const numbers = new Map<Uint8Array, number>();
  return {
    numberOf(bodyPart, sequence) {
      if (bodyPart === undefined) return null;
      const known = numbers.get(bodyPart);
      if (known !== undefined) return known;
      put.run(sequence, bodyPart);
      numbers.set(bodyPart, sequence);
      return sequence;
    },
    begin() {
      if (numbers.size > 0) numbers.clear();
    },
  };
}
