import { Fault } from "../../kernel/errors.ts";
import type { Connection } from "./session.ts";

const dependentObjects = "2BP01";

/**
 * Throws Fault `store-foreign` if a schema holds more than the tables of a store, which lie in
 * another one as well: nobody but their owner may throw the rest away.
 */
export async function requireOnlyStore(
  connection: Connection,
  store: string,
  schema: string,
): Promise<void> {
  const others = await connection.all<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = to_regnamespace($1::text) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND relname NOT IN (SELECT relname FROM pg_class
                             WHERE relnamespace = to_regnamespace($2::text))`,
    schema,
    store,
  );
  if (others.length === 0) return;
  const names = others.map(({ name }) => name).join(", ");
  throw new Fault("store-foreign", `the schema ${schema} holds more than a store: ${names}`);
}

/**
 * A schema takes the name of another one, whose tables go: part of a transaction. Throws Fault
 * `store-foreign` if the other one holds more than a store.
 */
export async function takePlace(connection: Connection, from: string, to: string): Promise<void> {
  const rows = await connection.all<{ name: string }>(
    `SELECT format('%I.%I', $1::text, relname) AS name FROM pg_class
      WHERE relnamespace = to_regnamespace($1::text) AND relkind = 'r'`,
    to,
  );
  try {
    // Nothing goes that was not named: what else is in the schema, or hangs on it, is in the way.
    if (rows.length > 0) {
      await connection.execute(`DROP TABLE ${rows.map(({ name }) => name).join(", ")}`);
    }
    await connection.execute(`DROP SEQUENCE IF EXISTS ${to}.message_sequence`);
    await connection.execute(`DROP SCHEMA IF EXISTS ${to} RESTRICT`);
  } catch (error) {
    const depends = error instanceof Error && "code" in error && error.code === dependentObjects;
    if (!depends) throw error;
    throw new Fault("store-foreign", `the schema ${to} holds more than a store`, { cause: error });
  }
  await connection.execute(`ALTER SCHEMA ${from} RENAME TO ${to}`);
}
