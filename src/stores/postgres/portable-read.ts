import {
  messagesTable,
  numbersTable,
  type PortableTable,
  portableSchema,
  portableTables,
  sequenceName,
} from "../../kernel/portable.ts";
import { inBatches } from "../../kernel/row-batches.ts";
import type { StoreSnapshot, TableRow, TableShape } from "../../kernel/tables.ts";
import { faultOf } from "./failure.ts";
import { type Connection, connect, type Value } from "./session.ts";
import type { PostgresAddress } from "./url.ts";

/** How long a reader may leave the snapshot alone; while it lives, nothing is vacuumed. */
const idleMax = "10min";

/**
 * One state of a whole database in the portable form, while servers go on: a transaction of its
 * own sees what was committed when it began. Throws Fault `store-unreachable`, `store-refused`.
 */
export async function postgresSnapshot(address: PostgresAddress): Promise<StoreSnapshot> {
  const connection = await connect(address, "snapshot");
  try {
    await connection.execute(`SET statement_timeout TO 0;
      SET idle_in_transaction_session_timeout TO '${idleMax}';
      BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    // The first statement makes the snapshot.
    const queues = await listQueues(connection);
    return { ...readPortable(connection, queues), close: () => connection.close() };
  } catch (error) {
    await connection.close();
    throw faultOf(error);
  }
}

interface Queue {
  readonly number: number;
  readonly place: readonly [accountId: string, region: string, queueId: string];
}

interface QueueRow {
  readonly account: string;
  readonly region: string;
  readonly id: string;
  readonly number: number;
}

/** Those that live, in the order of their names. */
async function listQueues(connection: Connection): Promise<readonly Queue[]> {
  const rows = await connection.all<QueueRow>(
    `SELECT account_id AS account, region, queue_id AS id, number FROM queues
      WHERE NOT discarded ORDER BY account_id, region, queue_id`,
  );
  return rows.map(({ account, region, id, number }) => ({ number, place: [account, region, id] }));
}

/** Portable tables whose rows name a queue by its number, with the columns behind its name. */
const ofQueues: Readonly<Record<string, { readonly from: string; readonly key: string }>> = {
  [messagesTable.name]: {
    from: "messages AS it JOIN message_bodies AS body USING (queue, sequence)",
    key: "sequence",
  },
  receive_attempts: { from: "receive_attempts AS it", key: "attempt_id" },
};

function readPortable(
  connection: Connection,
  queues: readonly Queue[],
): Omit<StoreSnapshot, "close"> {
  const all = (sql: string, values: readonly Value[]) => rowsOf(connection, sql, values);
  return {
    form: { kind: "portable", schema: portableSchema },
    tables: portableTables,
    async countRows(table) {
      if (table.name === numbersTable.name) return 1;
      const from = ofQueues[table.name] ? liveRows(table.name) : table.name;
      const [row] = await connection.all<{ n: number }>(`SELECT count(*) AS n FROM ${from}`);
      return row?.n ?? 0;
    },
    async *rows(shape, after) {
      const table = portableOf(shape);
      const { from, key } = ofQueues[table.name] ?? {};
      if (table.name === numbersTable.name) {
        if (!after) yield await all(sequenceRow, [sequenceName]);
      } else if (from === undefined || key === undefined) {
        yield* pages(table, all, plainPage(table), after);
      } else {
        for (const { number, place } of fromQueue(queues, after)) {
          const page = queuePage(table, from, key, number);
          const last = after && samePlace(place, after) ? after : undefined;
          for await (const rows of pages(table, all, page, last)) {
            yield rows.map((row) => [...place, ...row]);
          }
        }
      }
    },
  };
}

const sequenceRow = `SELECT $1::text AS c0,
  last_value + CASE WHEN is_called THEN 1 ELSE 0 END AS c1 FROM message_sequence`;

function liveRows(name: string): string {
  return `${name} JOIN queues ON queues.number = ${name}.queue AND NOT discarded`;
}

function portableOf({ name }: TableShape): PortableTable {
  const known = portableTables.find((table) => table.name === name);
  if (known === undefined) throw new Error(`there is no portable table ${name}`);
  return known;
}

function* fromQueue(queues: readonly Queue[], after: TableRow | undefined): Generator<Queue> {
  let reached = after === undefined;
  for (const queue of queues) {
    reached ||= after !== undefined && samePlace(queue.place, after);
    if (reached) yield queue;
  }
}

function samePlace(place: readonly string[], row: TableRow): boolean {
  return place.every((name, index) => name === row[index]);
}

/** Statement and values for the rows behind one; without it from the first. */
type Page = (after: TableRow | undefined, limit: number) => readonly [string, readonly Value[]];

function plainPage(table: PortableTable): Page {
  const { name, columns, keyColumns } = table;
  const key = columns.slice(0, keyColumns).join(", ");
  const marks = columns
    .slice(0, keyColumns)
    .map((_, index) => `$${index + 2}::${typeOf(table, index)}`);
  return (after, limit) => [
    `SELECT ${selected(table, columns)} FROM ${name}
      ${after ? `WHERE (${key}) > (${marks.join(", ")})` : ""} ORDER BY ${key} LIMIT $1::int8`,
    [limit, ...(after?.slice(0, keyColumns) ?? [])],
  ];
}

/** Without the queue's name, which all of them have in common. */
function queuePage(table: PortableTable, from: string, key: string, queue: number): Page {
  const columns = table.columns.slice(3);
  const keyAt = columns.indexOf(key);
  const type = typeOf(table, keyAt + 3);
  return (after, limit) => [
    `SELECT ${selected(table, columns)} FROM ${from} WHERE it.queue = $1::int8
        ${after ? `AND it.${key} > $3::${type}` : ""} ORDER BY it.${key} LIMIT $2::int8`,
    [queue, limit, ...(after ? [after[after.length - columns.length + keyAt] ?? null] : [])],
  ];
}

const types = { text: "text", integer: "int8", bytes: "bytea" } as const;

function typeOf(table: PortableTable, index: number): string {
  return types[table.types[index] ?? "text"];
}

/** Truth becomes a number; names are given so that every statement's rows look alike. */
function selected({ name }: PortableTable, columns: readonly string[]): string {
  const expressionOf = (column: string) => {
    if (truths.has(column)) return `${column}::int4`;
    // Both of the joined tables have it.
    return name === messagesTable.name && column === "sent_ms" ? "it.sent_ms" : column;
  };
  return columns.map((column, index) => `${expressionOf(column)} AS c${index}`).join(", ");
}

const truths = new Set(["read_only", "claim_counted"]);

/** Rows of one page: those with bodies in them are large. */
const pageRows = 1000;
const heavyPageRows = 64;
const heavy = new Set(["messages", "undelivered", "topic_archive", "trail_batches"]);

async function* pages(
  table: PortableTable,
  all: (sql: string, values: readonly Value[]) => Promise<TableRow[]>,
  page: Page,
  start: TableRow | undefined,
): AsyncGenerator<readonly TableRow[]> {
  const limit = heavy.has(table.name) ? heavyPageRows : pageRows;
  for (let after = start; ; ) {
    const rows = await all(...page(after, limit));
    yield* inBatches(rows);
    if (rows.length < limit) return;
    after = rows.at(-1);
  }
}

async function rowsOf(
  connection: Connection,
  sql: string,
  values: readonly Value[],
): Promise<TableRow[]> {
  try {
    const rows = await connection.all<Record<string, TableRow[number]>>(sql, ...values);
    return rows.map((row) => Object.values(row));
  } catch (error) {
    throw faultOf(error);
  }
}
