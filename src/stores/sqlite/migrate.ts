import type { DatabaseSync } from "node:sqlite";
import { assert, Fault } from "../../kernel/errors.ts";
import { prepare } from "./act.ts";
import type { Migration } from "./migrations/index.ts";

/**
 * Brings the schema up to the last known migration, all missing steps in one transaction, and
 * answers how many were applied. Throws Fault `store-too-new` if the store went through a breaking
 * step that this version does not know; later steps that break nothing are let be.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[]): number {
  migrations.forEach((step, index) => {
    assert(step.number === index + 1, "migrations are numbered from 1 without gaps");
  });
  database.exec("BEGIN IMMEDIATE");
  try {
    const applied = applyMissing(database, migrations);
    database.exec("COMMIT");
    return applied;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function applyMissing(database: DatabaseSync, migrations: readonly Migration[]): number {
  database.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  breaking INTEGER NOT NULL
) STRICT`);
  const done = prepare<{ number: number; name: string; breaking: number }>(
    database,
    "SELECT number, name, breaking FROM schema_migrations ORDER BY number",
  ).all();
  for (const step of done) {
    if (step.number > migrations.length && step.breaking === 1) {
      throw new Fault(
        "store-too-new",
        `the store has schema ${step.number} (${step.name}), which this version does not know`,
      );
    }
  }
  const note = prepare(database, "INSERT INTO schema_migrations VALUES (?, ?, ?)");
  const missing = migrations.slice(done.length);
  for (const step of missing) {
    database.exec(step.sql);
    note.run(step.number, step.name, step.breaking ? 1 : 0);
  }
  return missing.length;
}

/** The schema as SQLite keeps it, in order of name: what `schema.sql` is compared with. */
export function dumpSchema(database: DatabaseSync): string {
  const rows = prepare<{ sql: string }>(
    database,
    `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
      ORDER BY tbl_name, type = 'trigger', type DESC, name`,
  ).all();
  return rows.map((row) => `${row.sql};\n`).join("\n");
}
