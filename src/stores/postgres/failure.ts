import { Fault } from "../../kernel/errors.ts";

/** Classes and codes of SQLSTATE that are no bugs of ours: PostgreSQL manual, appendix A. */
const faults: readonly (readonly [start: string, kind: string, message: string])[] = [
  ["08", "store-unreachable", "the connection to the database was lost"],
  ["57P", "store-unreachable", "the database is stopping or starting"],
  ["57014", "store-slow", "the database took too long"],
  ["55P03", "store-slow", "the database is busy"],
  ["25006", "store-read-only", "the database takes no changes (a standby)"],
  ["25P03", "store-slow", "the database gave up waiting for this process"],
  ["28", "store-refused", "the database refuses this user"],
  ["3D", "store-refused", "the database does not exist"],
  ["42501", "store-refused", "the database refuses this user the right"],
  ["53100", "disk-full", "the database's disk is full"],
  ["53", "store-memory", "the database ran out of resources"],
  ["58", "store-io", "the database's disk failed"],
  ["XX001", "store-corrupt", "the database is damaged"],
  ["XX002", "store-corrupt", "the database is damaged"],
];

/** Deadlock or serialisation failure: the same again may well succeed. */
export function isContention(error: unknown): boolean {
  const code = codeOf(error);
  return code === "40001" || code === "40P01";
}

/** The fault that an error of the driver or the database means, or the error itself: a bug. */
export function faultOf(error: unknown): unknown {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  if (code === undefined) return isLostConnection(error) ? lost(error) : error;
  if (isContention(error)) {
    return new Fault("store-contention", "the database could not order this act", { cause: error });
  }
  // Errors of sockets carry names such as ECONNRESET.
  if (/^E[A-Z_]+$/.test(code)) return lost(error);
  const known = faults.find(([start]) => code.startsWith(start));
  if (known === undefined) return error;
  const [, kind, message] = known;
  return new Fault(kind, `${message} (SQLSTATE ${code})`, { cause: error });
}

function lost(error: unknown): Fault {
  return new Fault("store-unreachable", "the connection to the database was lost", {
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Texts of the driver for errors without a code. */
function isLostConnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    /connection terminated|not queryable|connection error|client was closed|timeout expired|Query read timeout/i.test(
      error.message,
    )
  );
}
