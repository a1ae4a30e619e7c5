import { randomBytes } from "node:crypto";
import type { CommitAnswer, CommitRequest, Query, ResultOf, Store } from "../../kernel/command.ts";
import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { StorePeers } from "../../kernel/peers.ts";
import { carryOutRun } from "./carry-out.ts";
import { createConnections, type OpenConnections } from "./connections.ts";
import { faultOf } from "./failure.ts";
import { createLedger } from "./ledger.ts";
import { migrate } from "./migrate.ts";
import { type Migration, migrations } from "./migrations/index.ts";
import { type OpenPeers, openPeers } from "./peers.ts";
import { createQueues } from "./queues.ts";
import { type Asked, runsOf } from "./runs.ts";
import { connect } from "./session.ts";
import type { TransactionTools } from "./transaction.ts";
import { type PostgresAddress, parsePostgresUrl } from "./url.ts";

export interface PostgresStoreOptions {
  /** `postgres://…`, see `parsePostgresUrl`. Holds a password: never logged. */
  readonly url: string;
  readonly log: Log;
  /** Time that passes by itself, for how long looks are good. Default: that of this process. */
  readonly elapsedMs?: () => number;
  /** This machine's time, one that nobody sets, to tell the database's from it. */
  readonly systemNowMs: () => number;
  /** No other process works on the store while this one does. Default false. */
  readonly alone?: boolean | undefined;
  /** Steps of the schema; default all. */
  readonly migrations?: readonly Migration[];
}

export interface PostgresStore extends Store {
  readonly peers: StorePeers;
  readonly address: PostgresAddress;
  /** Never settles: what is lost now may be there again later. */
  readonly failed: Promise<Fault>;
}

/** Bounds how long the first of a group waits for the last, and the memory of its answers. */
const groupMax = 1024;

/**
 * Opens the shared store and brings its schema up to date. Throws Fault `store-unreachable`,
 * `store-refused`, `store-too-new`, `store-foreign`, `store-address`, and `store-busy` if another
 * process has the store for itself, or this one shall and another one is there.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const address = parsePostgresUrl(options.url);
  const { log, systemNowMs, alone } = options;
  const migrating = await connect(address, "migrations");
  try {
    await migrate(migrating, address.schema, options.migrations ?? migrations);
  } catch (error) {
    throw faultOf(error);
  } finally {
    await migrating.close();
  }
  const connections = createConnections(address, log);
  const elapsedMs = options.elapsedMs ?? (() => performance.now());
  const processId = randomBytes(8).toString("hex");
  try {
    const peers = await openPeers({ address, processId, elapsedMs, systemNowMs, log, alone });
    return new Client(address, connections, peers, elapsedMs);
  } catch (error) {
    await connections.close();
    throw faultOf(error);
  }
}

/**
 * One group is under way at a time; what is asked meanwhile is the next one, so groups grow with
 * the load. Answers come in order.
 */
class Client implements PostgresStore {
  readonly failed: Promise<Fault> = new Promise(() => {});
  readonly address: PostgresAddress;
  readonly peers: OpenPeers;
  private readonly connections: OpenConnections;
  private readonly tools: TransactionTools;
  private waiting: Asked[] = [];
  private working: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    address: PostgresAddress,
    connections: OpenConnections,
    peers: OpenPeers,
    elapsedMs: () => number,
  ) {
    this.address = address;
    this.peers = peers;
    this.connections = connections;
    const ledger = createLedger(elapsedMs);
    this.tools = { ledger, queues: createQueues(), schema: address.schema };
  }

  async commit(request: CommitRequest): Promise<CommitAnswer> {
    const asked = this.ask((asker) => ({ kind: "commit", request, asker }));
    const answer = (await asked) as CommitAnswer;
    // What this process learned of others is no news to them.
    if (answer.status === "done") {
      for (const { accountId, version } of answer.versions) {
        this.peers.tell("version", `${version} ${accountId}`);
      }
    }
    return answer;
  }

  async query<Q extends Query>(query: Q): Promise<ResultOf<Q>> {
    return (await this.ask((asker) => ({ kind: "query", query, asker }))) as ResultOf<Q>;
  }

  /** Waits for what is under way; later calls are rejected. */
  close(): Promise<void> {
    this.closing ??= (async () => {
      await this.working;
      await this.peers.close();
      await this.connections.close();
    })();
    return this.closing;
  }

  private ask(make: (asker: Asked["asker"]) => Asked): Promise<unknown> {
    if (this.closing !== undefined) throw new Fault("store-closed", "the store is closed");
    return new Promise((resolve, reject) => {
      this.waiting.push(make({ resolve, reject }));
      this.working ??= this.work();
    });
  }

  private async work(): Promise<void> {
    // After this turn: whatever else it asks goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0, groupMax);
      for (const run of runsOf(group)) await carryOutRun(run, this.connections, this.tools);
    }
    this.working = undefined;
  }
}
