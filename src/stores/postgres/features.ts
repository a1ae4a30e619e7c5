/** Something beyond plain SQL that the shared store asks of a database. */
export interface Feature {
  readonly name: string;
  /** What it is for, and what goes wrong without it. */
  readonly why: string;
  /** Statements that fail, or answer no row with `ok`, where the database does not have it. */
  readonly probe: string;
}

/**
 * The whole list: databases that speak PostgreSQL's wire can be held against it. A probe makes
 * nothing that stays.
 */
export const features: readonly Feature[] = [
  {
    name: "read committed transactions",
    why: "a statement sees what was committed before it began, also after it waited for a lock",
    probe: `BEGIN ISOLATION LEVEL READ COMMITTED;
      SELECT true AS ok WHERE current_setting('transaction_isolation') = 'read committed';
      ROLLBACK`,
  },
  {
    name: "advisory locks of a transaction, shared and alone",
    why: "changes of configuration wait for what was decided before them; without real ones a request could be decided under rights that are gone",
    probe: `BEGIN; SELECT pg_advisory_xact_lock_shared(1), pg_advisory_xact_lock(2);
      SELECT count(*) >= 2 AS ok FROM pg_locks
       WHERE locktype = 'advisory' AND pid = pg_backend_pid(); ROLLBACK`,
  },
  {
    name: "advisory locks of a session, shared and alone",
    why: "commands that need a store for themselves see that servers work on it; without real ones they would work beside each other",
    probe: `SELECT pg_advisory_lock_shared(1), pg_advisory_lock(2);
      SELECT count(*) >= 2 AS ok FROM pg_locks
       WHERE locktype = 'advisory' AND pid = pg_backend_pid();
      SELECT pg_advisory_unlock_shared(1), pg_advisory_unlock(2)`,
  },
  {
    name: "repeatable read transactions",
    why: "a backup sees one moment of all tables",
    probe: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SELECT true AS ok WHERE current_setting('transaction_isolation') = 'repeatable read';
      ROLLBACK`,
  },
  {
    name: "FOR UPDATE SKIP LOCKED",
    why: "receives do not wait for each other",
    probe: `CREATE TEMP TABLE probe_skip (id int8 PRIMARY KEY);
      INSERT INTO probe_skip VALUES (1);
      SELECT true AS ok FROM probe_skip ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
      DROP TABLE probe_skip`,
  },
  {
    name: "INSERT … ON CONFLICT DO UPDATE and DO NOTHING",
    why: "rows that are put twice, and rows that are locked by putting them",
    probe: `CREATE TEMP TABLE probe_upsert (id int8 PRIMARY KEY, n int8);
      INSERT INTO probe_upsert VALUES (1, 1) ON CONFLICT DO NOTHING;
      INSERT INTO probe_upsert AS old VALUES (1, 1)
        ON CONFLICT (id) DO UPDATE SET n = old.n + excluded.n RETURNING n = 2 AS ok;
      DROP TABLE probe_upsert`,
  },
  {
    name: "data-changing statements in WITH, with RETURNING",
    why: "a message and its body come and go by one statement",
    probe: `CREATE TEMP TABLE probe_with (id int8 PRIMARY KEY);
      INSERT INTO probe_with VALUES (1);
      WITH gone AS (DELETE FROM probe_with RETURNING id) SELECT id = 1 AS ok FROM gone;
      DROP TABLE probe_with`,
  },
  {
    name: "unnest of several arrays, in order",
    why: "many rows in one statement; their numbers follow their order",
    probe: `SELECT array_agg(a ORDER BY place) = ARRAY[3, 1, 2]::int8[] AS ok
      FROM unnest(ARRAY[3, 1, 2]::int8[], ARRAY['x', 'y', 'z']) WITH ORDINALITY AS t(a, b, place)`,
  },
  {
    name: "LEFT JOIN LATERAL",
    why: "the first message of each of many groups",
    probe: `SELECT true AS ok FROM unnest(ARRAY[1]::int8[]) AS t(a)
      LEFT JOIN LATERAL (SELECT t.a LIMIT 1) AS head ON true`,
  },
  {
    name: "WITH RECURSIVE",
    why: "lists of trails and subscriptions that wait, without a walk through what waits",
    probe: `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
      SELECT max(i) = 3 AS ok FROM n`,
  },
  {
    name: "row comparison",
    why: "pages continue after a place of several columns",
    probe: "SELECT (1, 2) < (1, 3) AS ok",
  },
  {
    name: "sequences that grow in the order of the calls",
    why: "the order of FIFO groups",
    probe: `CREATE TEMP SEQUENCE probe_sequence;
      SELECT nextval('probe_sequence') < nextval('probe_sequence') AS ok;
      DROP SEQUENCE probe_sequence`,
  },
  {
    name: "identity columns and partial indexes",
    why: "numbers of queues; narrow indexes of what waits",
    probe: `CREATE TEMP TABLE probe_identity (id int8 GENERATED ALWAYS AS IDENTITY, done bool);
      CREATE INDEX ON probe_identity (id) WHERE NOT done;
      INSERT INTO probe_identity (done) VALUES (false) RETURNING true AS ok;
      DROP TABLE probe_identity`,
  },
  {
    name: 'COLLATE "C"',
    why: "names are listed in the order of their bytes",
    probe: `SELECT 'Z' COLLATE "C" < 'a' COLLATE "C" AS ok`,
  },
  {
    name: "LISTEN and NOTIFY",
    why: "long polls wake up across servers at once; without it within a second",
    probe:
      "LISTEN probe_channel; SELECT pg_notify('probe_channel', ''); SELECT true AS ok; UNLISTEN *",
  },
  {
    name: "clock_timestamp()",
    why: "leases and the service clock go by the database's time",
    probe: "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::int8 > 0 AS ok",
  },
  {
    name: "synchronous_commit can be set to on",
    why: "acknowledged means flushed",
    probe: `BEGIN; SET LOCAL synchronous_commit TO on;
      SELECT true AS ok WHERE current_setting('synchronous_commit') = 'on'; ROLLBACK`,
  },
  {
    name: "planner settings of a session",
    why: "plans do not follow the statistics of tables that fill and empty all day",
    probe: `SET plan_cache_mode TO force_generic_plan; SET enable_seqscan TO off;
      SELECT true AS ok`,
  },
];
