import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import { messagesTable } from "../../kernel/portable.ts";
import type { TableRow, TableShape } from "../../kernel/tables.ts";
import { prepare } from "./act.ts";

/** The tables that this writes are those after so many migrations. */
export const writtenSchema = 4;

/**
 * Puts portable rows into the tables of a new database, which this gives their numbers.
 *
 * INVARIANT: what is written is whole and right at `writtenSchema`, whatever came after it. Later
 * migrations bring it further as they bring every store of that time: nothing here follows them.
 */
export interface PortableWriter {
  put(table: TableShape, rows: readonly TableRow[]): void;
  /** All rows are there: puts in what is derived from them. */
  complete(): void;
}

type Put = (row: readonly SQLInputValue[]) => void;

/** A message of a FIFO queue that was never hidden has no row of its own. */
const ownState = `NOT (lane = 2 AND visible_at_ms = sent_ms AND receive_count = 0
  AND first_received_ms = 0 AND claim_id = '' AND claimed_ms = 0 AND claim_counted = 0
  AND previous_claim_id = '')`;

/** Messages wait under their columns' names until all are there. */
const columnsOf = messagesTable.columns;

const derived = `
INSERT INTO message_links
  SELECT sequence, lead(sequence, 1, 0) OVER (PARTITION BY body.queue, body.group_id
                                                  ORDER BY sequence)
    FROM message_bodies AS body LEFT JOIN message_states AS state USING (sequence)
   WHERE coalesce(lane, 2) = 2 ORDER BY sequence;
INSERT INTO message_groups
  SELECT queue, group_id, min(sequence), max(sequence), 0
    FROM message_bodies WHERE sequence IN (SELECT sequence FROM message_links)
   GROUP BY queue, group_id;
UPDATE message_groups SET ready_at_ms = coalesce(
  (SELECT visible_at_ms FROM message_states WHERE sequence = head_sequence),
  (SELECT sent_ms FROM message_bodies WHERE sequence = head_sequence));
INSERT INTO message_groups
  SELECT queue, group_id, sequence, 0, visible_at_ms FROM (
    SELECT queue, group_id, sequence, visible_at_ms,
           row_number() OVER (PARTITION BY queue, group_id ORDER BY visible_at_ms, sequence) AS turn
      FROM message_states WHERE lane = 1) WHERE turn = 1;
`;

export function portableWriter(database: DatabaseSync): PortableWriter {
  const numberOf = queueNumbers(database);
  const special: Readonly<Record<string, Put>> = {
    [messagesTable.name]: messagePut(database, numberOf),
    data_keys: dataKeyPut(database),
    numbers: (row) => {
      database.prepare("INSERT INTO counters VALUES (?, ?)").run(...row);
    },
    deduplications: underNumber(database, numberOf, "deduplications", 5),
    receive_attempts: underNumber(database, numberOf, "receive_attempts", 6),
  };
  const plain = new Map<string, Put>();

  function plainPut({ name, columns }: TableShape): Put {
    const marks = columns.map(() => "?").join(", ");
    const insert = database.prepare(
      `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${marks})`,
    );
    return (row) => insert.run(...row);
  }

  function putOf(table: TableShape): Put {
    const known = special[table.name] ?? plain.get(table.name);
    if (known !== undefined) return known;
    const made = plainPut(table);
    plain.set(table.name, made);
    return made;
  }

  return {
    put(table, rows) {
      const put = putOf(table);
      for (const row of rows) put(row as readonly SQLInputValue[]);
    },
    complete() {
      database.exec(derived);
      database.exec(
        "INSERT INTO counters SELECT 'queue', coalesce(max(number), 0) + 1 FROM queue_numbers",
      );
    },
  };
}

type NumberOf = (place: readonly SQLInputValue[]) => number;

function queueNumbers(database: DatabaseSync): NumberOf {
  const known = new Map<string, number>();
  const put = prepare(
    database,
    "INSERT INTO queue_numbers (number, account_id, region, queue_id) VALUES (?, ?, ?, ?)",
  );
  return (place) => {
    const name = JSON.stringify(place);
    const before = known.get(name);
    if (before !== undefined) return before;
    const number = known.size + 1;
    put.run(number, ...place);
    known.set(name, number);
    return number;
  };
}

/** Account, region and queue of the portable row become the queue's number. */
function underNumber(
  database: DatabaseSync,
  numberOf: NumberOf,
  name: string,
  columns: number,
): Put {
  const marks = Array.from({ length: columns }, () => "?").join(", ");
  const insert = database.prepare(`INSERT INTO ${name} VALUES (${marks})`);
  return (row) => insert.run(numberOf(row.slice(0, 3)), ...row.slice(3));
}

function dataKeyPut(database: DatabaseSync): Put {
  const insert = database.prepare(
    `INSERT INTO data_keys
       (account_id, region, id, sealing_arn, mode, key_arn, blob, created_ms, number)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  let number = 0;
  return (row) => {
    number += 1;
    insert.run(...row, number);
  };
}

function messagePut(database: DatabaseSync, numberOf: NumberOf): Put {
  const named = columnsOf.map((column, index) => `?${index + 1} AS ${column}`).join(", ");
  const row = `WITH it AS (SELECT ${named}, ?${columnsOf.length + 1} AS queue)`;
  const body = prepare(
    database,
    `${row} INSERT INTO message_bodies
       (sequence, queue, data_key, sent_ms, group_id, message_id, sender_id, attributes,
        system_attributes, dead_letter_source_arn, place_mac, bytes)
     SELECT sequence, queue,
            (SELECT number FROM data_keys
              WHERE account_id = it.account_id AND region = it.region AND id = data_key_id),
            sent_ms, group_id, message_id, sender_id, attributes, system_attributes,
            dead_letter_source_arn, place_mac, bytes FROM it`,
  );
  const state = prepare(
    database,
    `${row} INSERT INTO message_states
       (sequence, queue, lane, group_id, visible_at_ms, sent_ms, receive_count,
        first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id, size_bytes)
     SELECT sequence, queue, lane, group_id, visible_at_ms, sent_ms, receive_count,
            first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id,
            length(bytes) FROM it WHERE ${ownState}`,
  );
  return (given) => {
    const all = [...given, numberOf(given.slice(0, 3))];
    assert(body.run(...all) === 1, "each message has one body");
    state.run(...all);
  };
}
