import { Fault } from "../../kernel/errors.ts";
import { portableTables } from "../../kernel/portable.ts";
import type { CopyProgress, CopyTarget, TableRow, TableShape } from "../../kernel/tables.ts";
import { allDone } from "./act.ts";
import { decodeKey, encodeKey } from "./copy-key.ts";
import { requireOnlyStore, takePlace } from "./copy-place.ts";
import { faultOf } from "./failure.ts";
import { hold } from "./hold.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";
import { postgresSnapshot } from "./portable-read.ts";
import { putDerived, putPortable } from "./portable-write.ts";
import { type Connection, connect } from "./session.ts";
import type { PostgresAddress } from "./url.ts";

export interface PostgresCopyOptions {
  readonly address: PostgresAddress;
  /**
   * Names what is copied, in the state that it is in. What an attempt with the same name left is
   * gone on with; what one with another name left is thrown away.
   */
  readonly stamp: string;
  /** The schema may hold a store already; the copy takes its place. Default false. */
  readonly replace?: boolean;
}

/** A schema that is being filled has its name only once it is whole. */
const unfinished = "_unfinished";

/**
 * A store in a schema of a database, to be filled. All of it is built in another schema, which
 * takes the place of the asked-for one in one transaction: at any moment of a crash there is the
 * store that was, or none, or the new one.
 *
 * Throws Fault `store-busy` if a server works on the store, `store-foreign` if the schema holds
 * something else, `store-taken` if it holds an installation, and what opening a store throws.
 */
export async function postgresCopyTarget(options: PostgresCopyOptions): Promise<CopyTarget> {
  const { address, stamp, replace = false } = options;
  const { schema } = address;
  const connection = await connect(address, "copy");
  try {
    await connection.execute("SET statement_timeout TO 0");
    await hold(connection, schema, "alone");
    await requirePlace(connection, schema, replace);
    const building = `${schema}${unfinished}`;
    await connection.execute(`SET search_path TO ${building}`);
    const progress = await resume(connection, building, stamp);
    await requireOnlyStore(connection, building, schema);
    return new Target(connection, { ...address, schema: building }, schema, progress);
  } catch (error) {
    await connection.close();
    throw faultOf(error);
  }
}

/** Throws if there is something in the schema that must stay. */
async function requirePlace(
  connection: Connection,
  schema: string,
  replace: boolean,
): Promise<void> {
  const names = await tablesOf(connection, schema);
  if (names.length === 0) return;
  if (!names.includes("schema_migrations")) {
    throw new Fault("store-foreign", `the schema ${schema} holds tables of another program`);
  }
  if (replace) return;
  const [row] = await connection.all<{ used: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM meta) OR EXISTS (SELECT 1 FROM records) AS used`,
  );
  if (!row?.used) return;
  throw new Fault("store-taken", `the schema ${schema} holds an installation already`);
}

async function tablesOf(connection: Connection, schema: string): Promise<readonly string[]> {
  const rows = await connection.all<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1::text",
    schema,
  );
  return rows.map(({ name }) => name);
}

/** How far an earlier attempt came; without one the tables are made. */
async function resume(
  connection: Connection,
  building: string,
  stamp: string,
): Promise<Map<string, CopyProgress>> {
  const names = await tablesOf(connection, building);
  if (names.includes("copy_progress")) {
    const rows = await connection.all<{ name: string; rows: number; after: string }>(
      `SELECT table_name AS name, row_count AS rows, last_key AS after FROM copy_progress`,
    );
    const ours = rows.some(({ name, after }) => name === "" && after === stamp);
    if (ours) {
      return new Map(
        rows.map(({ name, rows: n, after }) => [
          name,
          { rows: n, after: name === "" ? undefined : decodeKey(after) },
        ]),
      );
    }
  }
  await connection.execute(`DROP SCHEMA IF EXISTS ${building} CASCADE`);
  await migrate(connection, building, migrations);
  await connection.execute(`CREATE TABLE copy_progress (
    table_name text PRIMARY KEY, row_count int8 NOT NULL, last_key text NOT NULL)`);
  await connection.run("INSERT INTO copy_progress VALUES ('', 0, $1::text)", stamp);
  return new Map();
}

class Target implements CopyTarget {
  private readonly connection: Connection;
  private readonly building: PostgresAddress;
  private readonly schema: string;
  private readonly progress: Map<string, CopyProgress>;

  constructor(
    connection: Connection,
    building: PostgresAddress,
    schema: string,
    progress: Map<string, CopyProgress>,
  ) {
    this.connection = connection;
    this.building = building;
    this.schema = schema;
    this.progress = progress;
  }

  progressOf({ name }: TableShape): CopyProgress {
    return this.progress.get(name) ?? { rows: 0, after: undefined };
  }

  async load({ name }: TableShape, rows: readonly TableRow[]): Promise<void> {
    const table = portableTables.find((known) => known.name === name);
    if (table === undefined) throw new Error(`there is no portable table ${name}`);
    const last = rows.at(-1);
    if (last === undefined) return;
    const count = this.progressOf(table).rows + rows.length;
    const { connection } = this;
    await this.transaction(() =>
      allDone([
        putPortable(connection, table, rows),
        connection.run(
          `INSERT INTO copy_progress VALUES ($1::text, $2::int8, $3::text)
           ON CONFLICT (table_name) DO UPDATE
              SET row_count = excluded.row_count, last_key = excluded.last_key`,
          name,
          count,
          encodeKey(table, last),
        ),
      ]),
    );
    this.progress.set(name, { rows: count, after: last });
  }

  async complete() {
    await this.transaction(async () => {
      await this.connection.execute("DELETE FROM message_groups");
      await putDerived(this.connection);
    });
    return postgresSnapshot(this.building);
  }

  finish(): Promise<void> {
    const { connection, building, schema } = this;
    return this.transaction(async () => {
      // A replica that is waited for has all of the copy when it has this.
      await connection.execute("SET LOCAL synchronous_commit TO on; DROP TABLE copy_progress");
      await takePlace(connection, building.schema, schema);
    });
  }

  async abandon(): Promise<void> {
    await this.connection.execute(`DROP SCHEMA IF EXISTS ${this.building.schema} CASCADE`);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private async transaction(act: () => Promise<unknown>): Promise<void> {
    const { connection } = this;
    try {
      await connection.execute("BEGIN");
      await act();
      await connection.execute("COMMIT");
    } catch (error) {
      await connection.execute("ROLLBACK").catch(() => {});
      throw faultOf(error);
    }
  }
}
