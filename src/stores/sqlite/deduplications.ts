import type { DatabaseSync } from "node:sqlite";
import type { FifoInsert, NewMessage } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import { createDigestPlaces, type DigestPlaces } from "./digest-places.ts";

/**
 * What was sent to a FIFO queue lately; it outlives the messages themselves. Rows lie in the order
 * of sending: digests fall anywhere, and an index of them would put every send into a page of its
 * own. Where a digest lies is kept in memory instead, read when first needed.
 */
export interface Deduplications {
  /** The first send of this message, if it is still remembered. */
  find(history: number, fifo: FifoInsert, message: NewMessage): FirstSend | undefined;
  remember(history: number, fifo: FifoInsert, message: NewMessage, sequence: number): void;
  /** Those sent before a time, oldest first; the history of each row removed. */
  forget(beforeMs: number, rowsMax: number): number[];
  /** Whether anything is remembered of this history. */
  has(history: number): boolean;
  /** A transaction begins. */
  begin(): void;
  /** Something was rolled back. */
  reload(): void;
}

export interface FirstSend {
  readonly messageId: string;
  readonly sequence: number;
}

interface Place {
  readonly sequence: number;
  readonly history: number;
  readonly digest: Uint8Array;
}

interface Row extends Place, FirstSend {
  readonly sentMs: number;
}

export function createDeduplications(database: DatabaseSync): Deduplications {
  const columns = "sequence, history, digest, message_id AS messageId, sent_ms AS sentMs";
  const get = prepare<Row>(database, `SELECT ${columns} FROM deduplications WHERE sequence = ?`);
  const put = prepare(database, "INSERT INTO deduplications VALUES (?, ?, ?, ?, ?)");
  const remove = prepare(database, "DELETE FROM deduplications WHERE sequence = ?");
  const first = prepare<Row>(
    database,
    `SELECT ${columns} FROM deduplications ORDER BY sequence LIMIT ?`,
  );
  const removeUpTo = prepare(database, "DELETE FROM deduplications WHERE sequence <= ?");
  const memory = createMemory(database);

  function rowOf(history: number, digest: Uint8Array): Row | undefined {
    for (const sequence of memory.places(digest)) {
      const row = get.get(sequence);
      if (row?.history === history && Buffer.compare(row.digest, digest) === 0) return row;
    }
    return undefined;
  }

  /** A clock that went back lets those behind a later one wait for it. */
  function oldest(beforeMs: number, rowsMax: number): readonly Row[] {
    const rows = first.all(rowsMax);
    const kept = rows.findIndex(({ sentMs }) => sentMs >= beforeMs);
    return kept < 0 ? rows : rows.slice(0, kept);
  }

  return {
    find(history, { nowMs, rememberMs }, { deduplication = [] }) {
      for (const digest of deduplication) {
        const row = rowOf(history, digest);
        if (row !== undefined && row.sentMs > nowMs - rememberMs) {
          return { messageId: row.messageId, sequence: row.sequence };
        }
      }
      return undefined;
    },
    remember(history, { nowMs }, { messageId, deduplication }, sequence) {
      const [digest] = deduplication ?? [];
      if (!digest) return;
      const before = rowOf(history, digest);
      if (before !== undefined) {
        remove.run(before.sequence);
        memory.gone(before);
      }
      put.run(sequence, history, digest, messageId, nowMs);
      memory.came({ sequence, history, digest });
    },
    forget(beforeMs, rowsMax) {
      const rows = oldest(beforeMs, rowsMax);
      const last = rows.at(-1);
      if (last === undefined) return [];
      removeUpTo.run(last.sequence);
      for (const row of rows) memory.gone(row);
      return rows.map(({ history }) => history);
    },
    has: (history) => memory.rowsOf(history) > 0,
    begin: () => memory.begin(),
    reload: () => memory.settle(({ sequence }) => get.get(sequence) !== undefined),
  };
}

/** INVARIANT: knows every row of the table, and no other. */
function createMemory(database: DatabaseSync) {
  const behind = database.prepare(
    `SELECT sequence, history, digest FROM deduplications
      WHERE sequence > ? ORDER BY sequence LIMIT 4096`,
  );
  behind.setReturnArrays(true);
  const rows = new Map<number, number>();
  let places: DigestPlaces | undefined;
  /** What came or went in this transaction. */
  let moved: Place[] = [];

  // The types of node:sqlite do not follow `setReturnArrays`.
  const pieceBehind = (sequence: number) =>
    behind.all(sequence) as unknown as readonly (readonly [number, number, Uint8Array])[];

  function count(history: number, change: 1 | -1): void {
    const now = (rows.get(history) ?? 0) + change;
    if (now === 0) rows.delete(history);
    else rows.set(history, now);
  }

  /** In pieces: row by row costs twice the time, all at once their memory. */
  function read(): DigestPlaces {
    const made = createDigestPlaces();
    rows.clear();
    for (let last = 0, piece = pieceBehind(last); piece.length > 0; piece = pieceBehind(last)) {
      for (const [sequence, history, digest] of piece) {
        made.add(digest, sequence);
        count(history, 1);
        last = sequence;
      }
    }
    return made;
  }

  function known(): DigestPlaces {
    places ??= read();
    return places;
  }

  return {
    places: (digest: Uint8Array) => known().of(digest),
    rowsOf(history: number): number {
      known();
      return rows.get(history) ?? 0;
    },
    came(place: Place): void {
      known().add(place.digest, place.sequence);
      count(place.history, 1);
      moved.push(place);
    },
    gone(place: Place): void {
      if (known().remove(place.digest, place.sequence)) count(place.history, -1);
      moved.push(place);
    },
    begin(): void {
      moved = [];
    },
    /** Some of what moved was undone. */
    settle(isThere: (place: Place) => boolean): void {
      if (places === undefined) return;
      for (const place of moved) {
        if (places.remove(place.digest, place.sequence)) count(place.history, -1);
        if (!isThere(place)) continue;
        places.add(place.digest, place.sequence);
        count(place.history, 1);
      }
    },
  };
}
