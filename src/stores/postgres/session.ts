import type { Socket } from "node:net";
import type { Client as PgClient } from "pg";
import { Fault } from "../../kernel/errors.ts";
import { faultOf } from "./failure.ts";
import type { PostgresAddress } from "./url.ts";

/** Values of one row go as they are, columns of many rows as `Column`. */
export type Value = string | number | boolean | null | Uint8Array;

/** Where statements run. Statements asked without waiting go out together and run in order. */
export interface Session {
  /** Rows have the names of the statement's columns: `AS "sentMs"`. */
  all<Row>(sql: string, ...values: readonly Value[]): Promise<Row[]>;
  /** Rows changed. */
  run(sql: string, ...values: readonly Value[]): Promise<number>;
}

export interface Connection extends Session {
  /** False once the connection was lost: another one must be made. */
  readonly usable: boolean;
  /** Statements without parameters, several in one text. */
  execute(sql: string): Promise<void>;
  /** The same, with the rows of all of them. */
  executeRows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  onNotification(listener: (channel: string, payload: string) => void): void;
  onLost(listener: () => void): void;
  /** Lets what was asked finish. */
  close(): Promise<void>;
  /** Ends it at once; what is under way fails. */
  destroy(): void;
}

/** A statement that takes longer than this has failed: nobody waits for ever. */
const statementMaxMs = 30_000;
/** Longer than any statement may take: the database would have told its end, if it were there. */
export const silenceMaxMs = statementMaxMs + 5_000;
const connectMaxMs = 5_000;

/**
 * Durability is this session's, whatever the database's default: acknowledged means flushed, and
 * with synchronous standbys flushed there. The planner gets no choice where statistics of a table
 * that fills and empties all day would mislead it.
 */
const settingsOf = (schema: string) => `
  SET search_path TO ${schema};
  SET client_encoding TO 'UTF8';
  SET timezone TO 'UTC';
  SET statement_timeout TO ${statementMaxMs};
  SET lock_timeout TO ${Math.round(statementMaxMs / 3)};
  SET idle_in_transaction_session_timeout TO ${statementMaxMs};
  SELECT set_config('synchronous_commit', 'on', false)
   WHERE current_setting('synchronous_commit') IN ('off', 'local')`;

const planner = `
  SET plan_cache_mode TO force_generic_plan;
  SET enable_seqscan TO off;
  SET enable_bitmapscan TO off;
  SET enable_hashjoin TO off;
  SET enable_mergejoin TO off;
  SET jit TO off`;

/**
 * Opens a connection. One that is silent for `silenceMs` while something was asked is given up: its
 * way may be dead though nobody says so. Default: waits for ever, for statements may take long.
 * Throws Fault `store-unreachable`, `store-refused`.
 */
export async function connect(
  address: PostgresAddress,
  name: string,
  silenceMs = 0,
): Promise<Connection> {
  // Loaded by those who use it: the embedded store needs no driver.
  const { default: pg } = await import("pg");
  const { tls } = address;
  const client = new pg.Client({
    connectionString: address.connectionString,
    application_name: `sealpost ${name}`,
    connectionTimeoutMillis: connectMaxMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
    ssl: tls && { ...tls, ...(tls.anyName && { checkServerIdentity: () => undefined }) },
    types: { getTypeParser: parserOf },
  } as ConstructorParameters<typeof pg.Client>[0]);
  const connection = new ClientConnection(client);
  try {
    await client.connect();
    await connection.execute(settingsOf(address.schema));
    await connection.execute(planner);
    connection.giveUpAfter(silenceMs);
    return connection;
  } catch (error) {
    connection.destroy();
    throw faultOf(error);
  }
}

class ClientConnection implements Connection {
  usable = true;
  private waiting = 0;
  private gathering = false;
  private readonly client: PgClient;
  private readonly lostListeners: (() => void)[] = [];

  constructor(client: PgClient) {
    this.client = client;
    client.on("error", () => this.lose());
    client.on("end", () => this.lose());
  }

  async all<Row>(sql: string, ...values: readonly Value[]): Promise<Row[]> {
    return (await this.ask(sql, values)).rows as Row[];
  }

  async run(sql: string, ...values: readonly Value[]): Promise<number> {
    return (await this.ask(sql, values)).rowCount ?? 0;
  }

  async execute(sql: string): Promise<void> {
    await this.client.query(sql);
  }

  async executeRows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    // Several statements in one text answer a list of results.
    const results: unknown = await this.client.query(sql);
    const all = (Array.isArray(results) ? results : [results]) as readonly {
      readonly rows?: readonly Record<string, unknown>[];
    }[];
    return all.flatMap(({ rows }) => rows ?? []);
  }

  onNotification(listener: (channel: string, payload: string) => void): void {
    this.client.on("notification", ({ channel, payload }) => listener(channel, payload ?? ""));
  }

  onLost(listener: () => void): void {
    this.lostListeners.push(listener);
  }

  async close(): Promise<void> {
    this.usable = false;
    await this.client.end().catch(() => {});
  }

  destroy(): void {
    this.lose();
    this.socket().destroy();
  }

  giveUpAfter(silenceMs: number): void {
    this.socket().setTimeout(silenceMs, () => {
      if (this.waiting > 0) this.destroy();
    });
  }

  /** The driver has no other way to end a connection without waiting for its answers. */
  private socket(): Socket {
    return (this.client as unknown as { connection: { stream: Socket } }).connection.stream;
  }

  private async ask(sql: string, values: readonly Value[]) {
    if (!this.usable)
      throw new Fault("store-unreachable", "the connection to the database is lost");
    this.waiting += 1;
    this.gather();
    try {
      return await this.client.query({
        name: nameOf(sql),
        text: sql,
        values: values.map(toDriver),
      });
    } finally {
      this.waiting -= 1;
    }
  }

  /** All statements that this turn asks go out by one write: the system call costs the most. */
  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    const socket = this.socket();
    socket.cork();
    process.nextTick(() => {
      this.gathering = false;
      socket.uncork();
    });
  }

  private lose(): void {
    if (!this.usable) return;
    this.usable = false;
    for (const listener of this.lostListeners) listener();
  }
}

/** Byte arrays travel in binary form; the driver knows them as Buffers. */
function toDriver(value: Value): Value {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new Error("a number for the store must be finite");
  }
  if (!(value instanceof Uint8Array) || Buffer.isBuffer(value)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

const names = new Map<string, string>();

/** Each text is prepared once for each connection, under a name of its own. */
function nameOf(sql: string): string {
  const known = names.get(sql);
  if (known !== undefined) return known;
  const name = `s${names.size}`;
  names.set(sql, name);
  return name;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = Buffer.from(hex.slice(2), "hex");
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

const asNumber = (text: string) => Number(text);
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  17: bytesOf,
  20: asNumber,
  21: asNumber,
  23: asNumber,
  701: asNumber,
};

function parserOf(typeId: number): (text: string) => unknown {
  return parsers[typeId] ?? ((text) => text);
}
