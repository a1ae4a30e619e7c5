import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { StorePeers } from "../../kernel/peers.ts";
import { texts } from "./columns.ts";
import { hold } from "./hold.ts";
import { lockKey } from "./lock-key.ts";
import { createOutbox } from "./outbox.ts";
import { type Connection, connect } from "./session.ts";
import type { PostgresAddress } from "./url.ts";

export interface OpenPeers extends StorePeers {
  close(): Promise<void>;
}

export interface PeersOptions {
  readonly address: PostgresAddress;
  /** Names this process to others; random. */
  readonly processId: string;
  readonly elapsedMs: () => number;
  /** This machine's time, one that nobody sets, to tell the database's from it. */
  readonly systemNowMs: () => number;
  readonly log: Log;
  /** No other process works on the store while this one does. Default false. */
  readonly alone?: boolean | undefined;
}

/** How often versions and the time are read: also the longest that a lost hint goes unnoticed. */
const lookMs = 250;
/** Older than this, what was read does not count. */
const trustMs = 1000;
/**
 * A look that takes longer has failed, and the connection is made anew: whoever keeps something by
 * `onGap` alone is told before what was read has lost its worth.
 */
const lookMaxMs = trustMs - lookMs - 50;

/**
 * One connection of its own, so that neither commits nor questions hold it up: it listens for hints
 * and reads the versions of cached accounts.
 */
export async function openPeers(options: PeersOptions): Promise<OpenPeers> {
  const feed = new Feed(options);
  await feed.look();
  feed.start();
  return feed;
}

class Feed implements OpenPeers {
  private readonly options: PeersOptions;
  private readonly outbox: ReturnType<typeof createOutbox>;
  private readonly versionListeners: ((accountId: string, version: number) => void)[] = [];
  private readonly gapListeners: (() => void)[] = [];
  private readonly listeners = new Map<string, ((text: string) => void)[]>();
  private watched: () => readonly string[] = () => [];
  private connection: Promise<Connection> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private heardMs = Number.NEGATIVE_INFINITY;
  private offsetMs = 0;
  private closed = false;

  constructor(options: PeersOptions) {
    this.options = options;
    const { processId, address } = options;
    this.outbox = createOutbox({
      processId,
      send: async (payloads) => {
        const connection = await this.connected();
        const sent = payloads.map((payload) =>
          connection.all("SELECT pg_notify($1::text, $2::text)", channelOf(address), payload),
        );
        await Promise.all(sent);
      },
    });
  }

  trusted(): boolean {
    return this.options.elapsedMs() - this.heardMs < trustMs;
  }

  clockOffsetMs(): number {
    return this.offsetMs;
  }

  onVersion(listener: (accountId: string, version: number) => void): void {
    this.versionListeners.push(listener);
  }

  watch(accounts: () => readonly string[]): void {
    this.watched = accounts;
  }

  tell(topic: string, text: string): void {
    if (!this.closed) this.outbox.put(topic, text);
  }

  on(topic: string, listener: (text: string) => void): void {
    this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), listener]);
  }

  onGap(listener: () => void): void {
    this.gapListeners.push(listener);
  }

  async alone<T>(name: string, act: () => Promise<T>): Promise<T> {
    const { address } = this.options;
    const connection = await connect(address, "alone");
    try {
      // However long the one before takes: its connection ends with its process.
      await connection.execute("SET lock_timeout TO 0; SET statement_timeout TO 0");
      await connection.all("SELECT pg_advisory_lock($1::int8)", lockKey(address.schema, name));
      return await act();
    } finally {
      await connection.close();
    }
  }

  async lease(name: string, forMs: number): Promise<boolean> {
    const connection = await this.connected();
    const rows = await connection.all(
      `INSERT INTO leases VALUES ($1::text, $2::text, ${databaseMs} + $3::int8)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
        WHERE leases.holder = excluded.holder OR leases.until_ms < ${databaseMs}
       RETURNING 1`,
      name,
      this.options.processId,
      forMs,
    );
    return rows.length > 0;
  }

  async release(name: string): Promise<void> {
    const connection = await this.connected();
    await connection.run(
      "DELETE FROM leases WHERE name = $1::text AND holder = $2::text",
      name,
      this.options.processId,
    );
  }

  start(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.looking = this.look()
        .catch((error: unknown) => {
          this.options.log.debug("the feed of versions is interrupted", { error: String(error) });
        })
        .finally(() => this.start());
    }, lookMs);
    this.timer.unref();
  }

  /** Reads the present versions of what is cached, and the time. */
  async look(): Promise<void> {
    const { elapsedMs, systemNowMs } = this.options;
    const begunMs = elapsedMs();
    const connection = await this.connected();
    let done = false;
    // One turn later: this process may have been the slow one, and the answer lies here already.
    const giveUp = () => setImmediate(() => done || connection.destroy());
    const overdue = setTimeout(giveUp, lookMaxMs);
    try {
      const accounts = this.watched();
      const beforeMs = systemNowMs();
      const [time, versions] = await Promise.all([
        connection.all<{ nowMs: number }>(`SELECT ${databaseMs} AS "nowMs"`),
        connection.all<{ accountId: string; version: number }>(
          `SELECT account_id AS "accountId", version FROM account_versions
            WHERE account_id = ANY($1::text[])`,
          texts(accounts),
        ),
      ]);
      const afterMs = systemNowMs();
      const nowMs = time[0]?.nowMs ?? afterMs;
      this.offsetMs = Math.round(nowMs - (beforeMs + afterMs) / 2);
      for (const { accountId, version } of versions) this.hearVersion(accountId, version);
      // From the begin: whatever changed later may not be in what was read.
      this.heardMs = begunMs;
    } finally {
      done = true;
      clearTimeout(overdue);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.outbox.flush().catch(() => {});
    await this.looking;
    await (await this.connection?.catch(() => undefined))?.close();
  }

  private async connected(): Promise<Connection> {
    const known = this.connection && (await this.connection.catch(() => undefined));
    if (known?.usable) return known;
    if (this.closed) throw new Fault("store-closed", "the store is closed");
    this.connection = this.open();
    return this.connection;
  }

  private async open(): Promise<Connection> {
    const { address, alone } = this.options;
    const connection = await connect(address, "feed");
    try {
      await hold(connection, address.schema, alone ? "alone" : "shared");
    } catch (error) {
      await connection.close();
      throw error;
    }
    connection.onNotification((channel, payload) => {
      if (channel === channelOf(address)) this.hear(payload);
    });
    connection.onLost(() => this.miss());
    await connection.execute(`LISTEN ${channelOf(address)}`);
    this.miss();
    return connection;
  }

  private hear(payload: string): void {
    for (const [topic, text] of this.outbox.read(payload)) {
      if (topic === "version") {
        const [version = "0", accountId = ""] = text.split(" ");
        this.hearVersion(accountId, Number(version));
      }
      for (const listener of this.listeners.get(topic) ?? []) listener(text);
    }
  }

  private miss(): void {
    for (const listener of this.gapListeners) listener();
  }

  private hearVersion(accountId: string, version: number): void {
    for (const listener of this.versionListeners) listener(accountId, version);
  }
}

const databaseMs = "floor(extract(epoch FROM clock_timestamp()) * 1000)::int8";

function channelOf({ schema }: PostgresAddress): string {
  return `sealpost_${schema}`;
}
