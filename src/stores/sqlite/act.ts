import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { ResultOf } from "../../kernel/command.ts";

/**
 * What a store does for each kind of command or query: `{ "sqs.insert": (command) => result }`.
 * INVARIANT: an act runs inside a transaction that somebody else opened and ends.
 */
export type Acts<U extends { readonly kind: string }> = {
  readonly [K in U["kind"]]: (act: Extract<U, { kind: K }>) => ResultOf<Extract<U, { kind: K }>>;
};

/** A statement prepared once, with the shape of its rows. Columns are named as in the contracts. */
export interface Statement<Row> {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  /** Rows changed. */
  run(...values: SQLInputValue[]): number;
}

/**
 * The same with rows as arrays, in the order of the columns: an object for each row costs more than
 * all its values. For what is read thousands of times a second.
 */
export function prepareArrays<Row extends readonly SQLOutputValue[]>(
  database: DatabaseSync,
  sql: string,
): Statement<Row> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return {
    // The types of node:sqlite do not follow `setReturnArrays`.
    get: (...values) => statement.get(...values) as unknown as Row | undefined,
    all: (...values) => statement.all(...values) as unknown as Row[],
    run: (...values) => Number(statement.run(...values).changes),
  };
}

/** The one place where a row gets its type: the SQL text and `Row` stand side by side. */
export function prepare<Row = Record<string, SQLOutputValue>>(
  database: DatabaseSync,
  sql: string,
): Statement<Row> {
  const statement = database.prepare(sql);
  return {
    get: (...values) => statement.get(...values) as Row | undefined,
    all: (...values) => statement.all(...values) as Row[],
    run: (...values) => Number(statement.run(...values).changes),
  };
}
