import {
  eventsTable,
  messagesTable,
  numbersTable,
  type PortableTable,
} from "../../kernel/portable.ts";
import type { TableRow, TableValue } from "../../kernel/tables.ts";
import { blobs, type Column, integers, texts } from "./columns.ts";
import type { Session } from "./session.ts";

/** Puts portable rows into the tables of a new schema. */
export async function putPortable(
  session: Session,
  table: PortableTable,
  rows: readonly TableRow[],
): Promise<void> {
  if (rows.length === 0) return;
  if (table.name === numbersTable.name) {
    for (const [, next] of rows) {
      const sequence = "SELECT setval('message_sequence', $1::int8, false)";
      await session.all(sequence, Number(next));
    }
    return;
  }
  const columns = table.columns.map((_, index) => columnOf(table, rows, index));
  if (namesQueue(table)) await putQueues(session, columns.slice(0, 3));
  await session.run(statementFor(table), ...columns);
  if (table.name === eventsTable.name) await putResources(session, rows);
}

/** By which events are looked up; a row that somebody else wrote into is looked up by nothing. */
async function putResources(session: Session, rows: readonly TableRow[]): Promise<void> {
  const at = (column: string) => eventsTable.columns.indexOf(column);
  const named = rows.flatMap((row) =>
    resourcesIn(row[at("resources")]).map(([type, name]) => ({ row, type, name })),
  );
  if (named.length === 0) return;
  const given = (column: string) => named.map(({ row }) => row[at(column)] ?? null);
  await session.run(
    `INSERT INTO audit_resources
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::text[])
     ON CONFLICT DO NOTHING`,
    texts(given("account_id").map(String)),
    texts(given("region").map(String)),
    texts(named.map(({ name }) => name)),
    integers(given("time_ms").map(numberOf)),
    integers(given("number").map(numberOf)),
    texts(named.map(({ type }) => type)),
  );
}

function resourcesIn(text: TableValue | undefined): readonly (readonly [string, string])[] {
  try {
    const listed: unknown = JSON.parse(String(text));
    if (!Array.isArray(listed)) return [];
    return listed.flatMap((pair: unknown) =>
      Array.isArray(pair) ? [[`${pair[0] ?? ""}`, `${pair[1] ?? ""}`] as const] : [],
    );
  } catch {
    return [];
  }
}

function namesQueue({ columns }: PortableTable): boolean {
  return columns[2] === "queue_id";
}

async function putQueues(session: Session, names: readonly Column[]): Promise<void> {
  await session.run(
    `INSERT INTO queues (account_id, region, queue_id)
     SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING`,
    ...names,
  );
}

function columnOf({ types }: PortableTable, rows: readonly TableRow[], index: number): Column {
  const values = rows.map((row) => row[index] ?? null);
  if (types[index] === "bytes") return blobs(values.map(bytesOf));
  if (types[index] === "integer") return integers(values.map(numberOf));
  return texts(values.map((value) => (value === null ? null : String(value))));
}

function bytesOf(value: TableValue): Uint8Array | null {
  if (value === null || value instanceof Uint8Array) return value;
  throw new Error("the column holds bytes");
}

function numberOf(value: TableValue): number | null {
  if (value === null || typeof value === "number") return value;
  throw new Error("the column holds numbers");
}

const arrays = { text: "text[]", integer: "int8[]", bytes: "bytea[]" } as const;
const truths = new Set(["read_only", "claim_counted"]);

function statementFor(table: PortableTable): string {
  const { name, columns, types } = table;
  const given = types.map((type, index) => `$${index + 1}::${arrays[type]}`).join(", ");
  const rows = `unnest(${given}) AS it(${columns.join(", ")})`;
  if (name === messagesTable.name) return messageStatement(rows);
  const values = (list: readonly string[]) =>
    list.map((column) => (truths.has(column) ? `it.${column} = 1` : `it.${column}`)).join(", ");
  if (!namesQueue(table)) {
    return `INSERT INTO ${name} (${columns.join(", ")}) SELECT ${values(columns)} FROM ${rows}`;
  }
  const own = columns.slice(3);
  return `INSERT INTO ${name} (queue, ${own.join(", ")})
    SELECT queues.number, ${values(own)} FROM ${rows}
      JOIN queues USING (account_id, region, queue_id)`;
}

function messageStatement(rows: string): string {
  return `WITH given AS MATERIALIZED (
      SELECT queues.number AS queue, it.* FROM ${rows}
        JOIN queues USING (account_id, region, queue_id)),
    body AS (
      INSERT INTO message_bodies
        (queue, sequence, sent_ms, size_bytes, message_id, data_key_id, sender_id, attributes,
         system_attributes, dead_letter_source_arn, place_mac, bytes)
      SELECT queue, sequence, sent_ms, octet_length(bytes), message_id, data_key_id, sender_id,
             attributes, system_attributes, dead_letter_source_arn, place_mac, bytes FROM given)
    INSERT INTO messages
      (queue, sequence, lane, receive_count, visible_at_ms, sent_ms, first_received_ms, claimed_ms,
       claim_counted, group_id, claim_id, previous_claim_id)
    SELECT queue, sequence, lane, receive_count, visible_at_ms, sent_ms, first_received_ms,
           claimed_ms, claim_counted = 1, group_id, claim_id, previous_claim_id FROM given`;
}

/** What is derived from the rows, once all are there. */
export async function putDerived(session: Session): Promise<void> {
  await session.run(
    `INSERT INTO message_groups
     SELECT queue, messages.group_id, sequence, visible_at_ms
       FROM (SELECT queue, min(sequence) AS sequence FROM messages
              WHERE lane = 2 GROUP BY queue, group_id) AS heads
       JOIN messages USING (queue, sequence)`,
  );
}
