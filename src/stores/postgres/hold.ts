import { Fault } from "../../kernel/errors.ts";
import { lockKey } from "./lock-key.ts";
import type { Connection } from "./session.ts";

/** How long one that works on the store is waited for: another process may just be ending. */
const waitMs = 2_000;
const lockNotAvailable = "55P03";

/**
 * Says on this connection, for as long as it lives, that its process works on the store of a
 * schema: like every other, or alone. Nobody works on a store that somebody has alone.
 *
 * Throws Fault `store-busy` that tells who is there.
 */
export async function hold(
  connection: Connection,
  schema: string,
  how: "shared" | "alone",
): Promise<void> {
  const key = lockKey(schema, "serving");
  const lock = how === "alone" ? "pg_advisory_lock" : "pg_advisory_lock_shared";
  const [before] = await connection.all<{ timeout: string }>(
    "SELECT current_setting('lock_timeout') AS timeout",
  );
  await connection.execute(`SET lock_timeout TO ${waitMs}`);
  try {
    await connection.all(`SELECT ${lock}($1::int8)`, key);
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new Fault("store-busy", await whoIsThere(connection, key, how), { cause: error });
  }
  await connection.execute(`SET lock_timeout TO '${before?.timeout ?? "0"}'`);
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === lockNotAvailable;
}

async function whoIsThere(
  connection: Connection,
  key: number,
  how: "shared" | "alone",
): Promise<string> {
  const rows = await connection.all<{ host: string }>(
    `SELECT DISTINCT coalesce(host(client_addr), 'the database''s own machine') AS host
       FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND (classid::int8 << 32 | objid::int8) = $1::int8
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    key,
  );
  const from = rows.map(({ host }) => host).join(", ");
  return how === "alone"
    ? `servers or commands work on this database (from ${from || "where cannot be seen"}): stop them`
    : `a command has this database for itself (from ${from || "where cannot be seen"})`;
}
