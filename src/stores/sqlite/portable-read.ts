import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { messagesTable, portableSchema, portableTables } from "../../kernel/portable.ts";
import { inBatches } from "../../kernel/row-batches.ts";
import type { StoreSnapshot, TableRow, TableShape } from "../../kernel/tables.ts";
import { laneWithoutState } from "./lanes.ts";
import { unspent } from "./spent.ts";

const queueNames = "queue.account_id, queue.region, queue.queue_id";
const alive = (number: string) => `${number} NOT IN (SELECT queue FROM discarded_queues)`;

/**
 * Portable tables that are put together from others of the present schema. CROSS JOIN keeps the
 * order of the loops, so that messages are read in one walk through their bodies.
 */
const selections: Readonly<Record<string, string>> = {
  [messagesTable.name]: `SELECT ${queueNames}, body.sequence,
      coalesce(lane, ${laneWithoutState}), body.group_id, body.sent_ms,
      coalesce(visible_at_ms, body.sent_ms), coalesce(receive_count, 0),
      coalesce(first_received_ms, 0), coalesce(claim_id, ''), coalesce(claimed_ms, 0),
      coalesce(claim_counted, 0), coalesce(previous_claim_id, ''), message_id, data_keys.id,
      sender_id, attributes, system_attributes, dead_letter_source_arn, place_mac,
      CASE WHEN body.shared IS NULL THEN body.bytes ELSE CAST(body.bytes || rest.bytes AS BLOB) END
     FROM message_bodies AS body LEFT JOIN shared_bodies AS rest ON rest.number = body.shared
     LEFT JOIN message_states AS state USING (sequence)
    CROSS JOIN queue_numbers AS queue ON queue.number = body.queue
    CROSS JOIN data_keys ON data_keys.number = body.data_key
    WHERE ${alive("body.queue")} AND ${unspent}`,
  numbers: "SELECT name, reserved_until FROM counters WHERE name = 'sequence'",
  deduplications: `SELECT ${queueNames}, digest, message_id, sequence, sent_ms
     FROM deduplications JOIN queue_numbers AS queue ON queue.number = history`,
  receive_attempts: `SELECT ${queueNames}, attempt_id, claim_id, claimed_ms, visible_at_ms,
      sequences
     FROM receive_attempts AS it JOIN queue_numbers AS queue ON queue.number = it.queue
    WHERE ${alive("it.queue")}`,
};

function selectionOf({ name, columns }: TableShape): string {
  const sql = selections[name] ?? `SELECT ${columns.join(", ")} FROM ${name}`;
  return `WITH it(${columns.join(", ")}) AS (${sql})`;
}

function orderOf({ name, columns, keyColumns }: TableShape): readonly string[] {
  return name === messagesTable.name ? ["sequence"] : columns.slice(0, keyColumns);
}

/**
 * The whole of an open database in the portable form. Nobody may change it meanwhile: each table is
 * read by itself. Closing the database is up to whoever opened it.
 */
export function readPortable(database: DatabaseSync): StoreSnapshot {
  return {
    form: { kind: "portable", schema: portableSchema },
    tables: portableTables,
    async countRows(table) {
      const row = database.prepare(`${selectionOf(table)} SELECT count(*) AS n FROM it`).get();
      return Number(row?.n);
    },
    async *rows(table, after) {
      const order = orderOf(table);
      const marks = order.map(() => "?").join(", ");
      const where = after ? `WHERE (${order.join(", ")}) > (${marks})` : "";
      const statement = database.prepare(
        `${selectionOf(table)} SELECT * FROM it ${where} ORDER BY ${order.join(", ")}`,
      );
      statement.setReturnArrays(true);
      const given = after ? order.map((column) => after[table.columns.indexOf(column)]) : [];
      // The types of node:sqlite do not follow `setReturnArrays`.
      const rows = statement.iterate(...(given as SQLInputValue[])) as Iterable<unknown>;
      yield* inBatches(rows as Iterable<TableRow>);
    },
    async close() {},
  };
}
