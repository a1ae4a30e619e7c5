// Goal: the schema is the one that is checked in, processes that start together migrate it once,
// and code never opens a store it does not know.
// Method: a fresh schema of a real PostgreSQL is compared with schema.txt (SEALPOST_WRITE_SCHEMA=1
// rewrites it), and opened with other lists of steps.
import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { Fault } from "../../src/kernel/errors.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { type Migration, migrations } from "../../src/stores/postgres/migrations/index.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { parsePostgresUrl } from "../../src/stores/postgres/url.ts";
import type { PostgresCluster } from "../harness/postgres/cluster.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";

const checkedIn = new URL("../../src/stores/postgres/schema.txt", import.meta.url);
const next = migrations.length + 1;
const isFault = (kind: string) => (error: unknown) => error instanceof Fault && error.kind === kind;

interface Place {
  readonly cluster: PostgresCluster;
  readonly url: string;
  readonly schema: string;
  open(steps?: readonly Migration[]): Promise<void>;
}

async function newPlace(t: TestContext): Promise<Place> {
  const cluster = await sharedCluster();
  const url = cluster.newStoreUrl();
  const options = { url, log: silentLog, systemNowMs: Date.now };
  return {
    cluster,
    url,
    schema: parsePostgresUrl(url).schema,
    async open(steps) {
      const store = await openPostgresStore({ ...options, ...(steps && { migrations: steps }) });
      t.after(() => store.close());
    },
  };
}

/** Tables, their constraints, indexes and sequences, as PostgreSQL keeps them. */
async function dump({ cluster, schema }: Place): Promise<string> {
  const rows = await cluster.sql(`
    SELECT string_agg(line, E'\\n' ORDER BY name, part, place, line) AS dump FROM (
      SELECT c.relname AS name, 1 AS part, a.attnum AS place,
             c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
             || CASE WHEN l.collname = 'C' THEN ' COLLATE "C"' ELSE '' END
             || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
             || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
             || CASE a.attidentity WHEN '' THEN '' ELSE ' IDENTITY' END
             || CASE a.attstorage WHEN 'e' THEN ' EXTERNAL' ELSE '' END AS line
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
       WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'r'
      UNION ALL
      SELECT c.relname, 2, 0, 'CONSTRAINT ' || n.conname || ' ' || pg_get_constraintdef(n.oid)
        FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
       WHERE c.relnamespace = '${schema}'::regnamespace AND n.contype IN ('p', 'f')
      UNION ALL
      SELECT tablename, 3, 0, indexdef FROM pg_indexes WHERE schemaname = '${schema}'
      UNION ALL
      SELECT sequencename, 4, 0, 'SEQUENCE ' || sequencename || ' CACHE ' || cache_size
        FROM pg_sequences WHERE schemaname = '${schema}') AS lines`);
  return `${String(rows[0]?.dump).replaceAll(`${schema}.`, "")}\n`;
}

test("the schema is the one that is checked in", async (t) => {
  const place = await newPlace(t);
  await place.open();
  const found = await dump(place);
  if (process.env.SEALPOST_WRITE_SCHEMA === "1") writeFileSync(checkedIn, found);
  equal(found, readFileSync(checkedIn, "utf8"));
  // The twin: a table more is seen.
  await place.cluster.sql(`CREATE TABLE ${place.schema}.drifted (id int8 PRIMARY KEY)`);
  equal((await dump(place)) === found, false);
});

test("processes that start together migrate once", async (t) => {
  const place = await newPlace(t);
  await Promise.all(Array.from({ length: 6 }, () => place.open()));
  const rows = await place.cluster.sql(`SELECT number FROM ${place.schema}.schema_migrations`);
  deepEqual(rows.length, migrations.length);
});

test("a later harmless step is let be, a later breaking one is refused", async (t) => {
  const harmless = { number: next, name: "index", breaking: false, sql: "SELECT 1" };
  const breaking = { number: next + 1, name: "split", breaking: true, sql: "SELECT 1" };
  const place = await newPlace(t);
  await place.open([...migrations, harmless]);
  await place.open();
  await place.open([...migrations, harmless, breaking]);
  await rejects(place.open(), isFault("store-too-new"));
});

test("a step that fails leaves the schema as it was", async (t) => {
  const place = await newPlace(t);
  await place.open();
  const before = await dump(place);
  const sql = "CREATE TABLE half (id int8); SELECT no_such_function()";
  const failing = { number: next, name: "half", breaking: false, sql };
  await rejects(place.open([...migrations, failing]), /no_such_function/);
  equal(await dump(place), before);
});

test("a schema with tables of another program is refused and left alone", async (t) => {
  const place = await newPlace(t);
  await place.cluster.sql(
    `CREATE SCHEMA ${place.schema}; CREATE TABLE ${place.schema}.theirs (id int8)`,
  );
  await rejects(place.open(), isFault("store-foreign"));
});

test("acknowledged means flushed, whatever the database's default is", async (t) => {
  const place = await newPlace(t);
  await place.cluster.sql("ALTER DATABASE postgres SET synchronous_commit TO off");
  t.after(() => place.cluster.sql("ALTER DATABASE postgres RESET synchronous_commit"));
  const seen = { settings: "" };
  await place.open([
    ...migrations,
    {
      number: next,
      name: "look",
      breaking: false,
      sql: "CREATE TABLE look AS SELECT current_setting('synchronous_commit') AS it",
    },
  ]);
  const [row] = await place.cluster.sql(`SELECT it FROM ${place.schema}.look`);
  seen.settings = String(row?.it);
  equal(seen.settings, "on");
});

test("an address that cannot be used says why, and never the password", () => {
  const refused = (url: string, why: RegExp) =>
    throws(
      () => parsePostgresUrl(url),
      (error: unknown) => {
        equal(error instanceof Fault && why.test(error.message), true, String(error));
        equal(String(error).includes("hidden"), false);
        return true;
      },
    );
  refused("mysql://u:hidden@h/d", /postgres:/);
  refused("postgres://u:hidden@h/d?schema=a;b", /schema/);
  refused("postgres://u:hidden@h/d?pool=0", /pool/);
  refused("postgres://u:hidden@h/d?sslmode=prefer", /sslmode/);
  refused("postgres://u:hidden@h/d?sslrootcert=/no/such/file", /sslrootcert/);
  const far = parsePostgresUrl("postgres://u:p@db.example/d?schema=mine&pool=4");
  deepEqual(
    [far.schema, far.poolSize, far.connectionString],
    ["mine", 4, "postgres://u:p@db.example/d"],
  );
  // TLS with a checked name unless the database is on this machine, or somebody says otherwise.
  deepEqual(far.tls, { rejectUnauthorized: true, anyName: false });
  equal(parsePostgresUrl("postgres://u:p@127.0.0.1/d").tls, false);
  equal(parsePostgresUrl("postgres://u:p@db.example/d?sslmode=disable").tls, false);
});

test("a database that is not there is a clear fault", async () => {
  const url = "postgres://sealpost@127.0.0.1:1/postgres";
  const opening = openPostgresStore({ url, log: silentLog, systemNowMs: Date.now });
  await rejects(opening, isFault("store-unreachable"));
});
