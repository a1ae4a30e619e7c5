import { assert, Fault } from "../../kernel/errors.ts";
import { lockKey } from "./lock-key.ts";
import type { Migration } from "./migrations/index.ts";
import type { Connection } from "./session.ts";

/**
 * Brings the schema up to the last known migration, all missing steps in one transaction, and
 * answers how many were applied. Processes that start together wait for each other. Throws Fault
 * `store-too-new` if the store went through a breaking step that this version does not know; later
 * steps that break nothing are let be.
 */
export async function migrate(
  connection: Connection,
  schema: string,
  migrations: readonly Migration[],
): Promise<number> {
  migrations.forEach((step, index) => {
    assert(step.number === index + 1, "migrations are numbered from 1 without gaps");
  });
  // However much there is to do, here or in the process that does it now.
  await connection.execute(
    `BEGIN ISOLATION LEVEL READ COMMITTED;
     SET LOCAL statement_timeout TO 0; SET LOCAL lock_timeout TO 0`,
  );
  try {
    await connection.all("SELECT pg_advisory_xact_lock($1::int8)", lockKey(schema, "migrate"));
    const applied = await applyMissing(connection, schema, migrations);
    await connection.execute("COMMIT");
    return applied;
  } catch (error) {
    await connection.execute("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function applyMissing(
  connection: Connection,
  schema: string,
  migrations: readonly Migration[],
): Promise<number> {
  await makeSchema(connection, schema);
  const done = await connection.all<{ number: number; name: string; breaking: boolean }>(
    "SELECT number, name, breaking FROM schema_migrations ORDER BY number",
  );
  for (const step of done) {
    if (step.number > migrations.length && step.breaking) {
      throw new Fault(
        "store-too-new",
        `the store has schema ${step.number} (${step.name}), which this version does not know`,
      );
    }
  }
  const missing = migrations.slice(done.length);
  for (const step of missing) {
    await connection.execute(step.sql);
    await connection.run(
      "INSERT INTO schema_migrations VALUES ($1::int4, $2::text, $3::bool)",
      step.number,
      step.name,
      step.breaking,
    );
  }
  return missing.length;
}

/** A schema that holds other tables belongs to somebody else. */
async function makeSchema(connection: Connection, schema: string): Promise<void> {
  const tables = await connection.all<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1::text`,
    schema,
  );
  if (tables.some(({ name }) => name === "schema_migrations")) return;
  if (tables.length > 0) {
    throw new Fault("store-foreign", `the schema ${schema} holds tables of another program`);
  }
  const there = await connection.all(
    "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1::text",
    schema,
  );
  if (there.length === 0) await connection.execute(`CREATE SCHEMA ${schema}`);
  await connection.execute(`CREATE TABLE schema_migrations (
  number int4 PRIMARY KEY,
  name text NOT NULL,
  breaking bool NOT NULL
)`);
}
