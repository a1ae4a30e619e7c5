// Goal: the schema is the one that is checked in, and code never opens a store it does not know.
// Method: compares a fresh database with schema.sql (SEALPOST_WRITE_SCHEMA=1 rewrites it), and
// migrates with other lists of steps.
import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { openDatabase } from "../../src/stores/sqlite/database.ts";
import { dumpSchema, migrate } from "../../src/stores/sqlite/migrate.ts";
import { migrations } from "../../src/stores/sqlite/migrations/index.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { newPath, storeAt } from "./folder.ts";

const checkedIn = new URL("../../src/stores/sqlite/schema.sql", import.meta.url);
const next = migrations.length + 1;
const isFault = (kind: string) => (error: unknown) => error instanceof Fault && error.kind === kind;

test("the schema is the one that is checked in", () => {
  const database = openDatabase(":memory:");
  const dump = dumpSchema(database);
  if (process.env.SEALPOST_WRITE_SCHEMA === "1") writeFileSync(checkedIn, dump);
  equal(dump, readFileSync(checkedIn, "utf8"));
  // The twin: a table more is seen.
  database.exec("CREATE TABLE drifted (id INTEGER PRIMARY KEY) STRICT");
  equal(dumpSchema(database) === dump, false);
});

test("every primary key begins with account and region", () => {
  // These belong to a whole account or to the installation,
  const wider = ["account_versions", "counters", "meta", "schema_migrations"];
  // and these begin with a number that stands for account, region and queue (docs/decisions/0012).
  const numbered = [
    ...["queue_numbers", "message_bodies", "message_states", "message_links", "message_groups"],
    ...["spent_messages", "deduplications", "receive_attempts", "discarded_queues"],
    // or are of several accounts.
    "shared_bodies",
  ];
  const exempt = [...wider, ...numbered];
  const database = openDatabase(":memory:");
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const others = tables.map((row) => String(row.name)).filter((name) => !exempt.includes(name));
  equal(others.length > 5, true);
  for (const table of others) {
    const key = database
      .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
      .all(table);
    deepEqual(
      key.slice(0, 2).map((column) => column.name),
      ["account_id", "region"],
      table,
    );
  }
});

test("the settings that durability and space rely on are in force", () => {
  const database = openDatabase(newPath());
  const setting = (name: string) =>
    Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  deepEqual(
    ["journal_mode", "synchronous", "auto_vacuum", "foreign_keys", "locking_mode"].map(setting),
    ["wal", 2, 2, 1, "exclusive"],
  );
});

test("the file is readable by its owner only", () => {
  const path = newPath();
  const database = openDatabase(path);
  database.exec("BEGIN IMMEDIATE; COMMIT");
  equal(statSync(path).mode & 0o777, 0o600);
  equal(statSync(`${path}-wal`).mode & 0o777, 0o600);
});

test("a second start applies nothing; a later harmless step is let be", () => {
  const database = new DatabaseSync(":memory:");
  equal(migrate(database, migrations), migrations.length);
  equal(migrate(database, migrations), 0);
  const harmless = { number: next, name: "index", breaking: false, sql: "SELECT 1" };
  equal(migrate(database, [...migrations, harmless]), 1);
  equal(migrate(database, migrations), 0);
});

test("a later breaking step is refused", () => {
  const database = new DatabaseSync(":memory:");
  const breaking = { number: next, name: "split", breaking: true, sql: "SELECT 1" };
  migrate(database, [...migrations, breaking]);
  throws(() => migrate(database, migrations), isFault("store-too-new"));
});

test("a step that fails leaves the schema as it was", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, migrations);
  const before = dumpSchema(database);
  const sql = "CREATE TABLE half (id INTEGER); SELECT no_such_function()";
  const failing = { number: next, name: "half", breaking: false, sql };
  throws(() => migrate(database, [...migrations, failing]), /no_such_function/);
  equal(dumpSchema(database), before);
});

test("a database of another program is refused and left alone", async () => {
  const path = newPath();
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE theirs (id INTEGER)");
  other.close();
  await rejects(openSqliteStore({ path, log: silentLog }), isFault("store-foreign"));
  writeFileSync(path, "this is no database, whatever its name says\n".repeat(100));
  await rejects(openSqliteStore({ path, log: silentLog }), isFault("store-foreign"));
  match(readFileSync(path, "utf8"), /^this is no database/);
});

test("one process holds a file: a second one is refused until it closes", async (context) => {
  const path = newPath();
  const first = await storeAt(context, path);
  await rejects(openSqliteStore({ path, log: silentLog }), isFault("store-busy"));
  await first.close();
  const second = await storeAt(context, path);
  await second.close();
});

test("a folder that does not exist is a clear fault", async () => {
  const path = `${newPath()}/no/such/folder.db`;
  await rejects(openSqliteStore({ path, log: silentLog }), isFault("store-unreachable"));
});
