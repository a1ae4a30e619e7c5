import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import type { Store } from "../kernel/command.ts";
import type { Fault } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { StorePeers } from "../kernel/peers.ts";
import type { SealingThread } from "../sealing/store.ts";
import { openSqliteStore } from "../stores/sqlite/open.ts";

export interface StoreChoice {
  /** `sqlite`, or a postgres:// address, which may hold a password: never logged. */
  readonly store: string;
  /** Where the embedded store lies. */
  readonly dataFolder: string;
  readonly log: Log;
  /** This machine's time, which a shared store tells its own from: one that nobody sets. */
  readonly systemNowMs: () => number;
  /** No other process works on the store meanwhile, as with the embedded one. Default false. */
  readonly alone?: boolean | undefined;
  /** Where the embedded store tells several threads of changes; absent: there is one. */
  readonly versions?: SharedArrayBuffer | undefined;
}

/** A store that a server or a command works on. */
export interface OpenedStore extends Store {
  /** Settles if the store can never answer again; the process should stop. */
  readonly failed: Promise<Fault>;
  /** Other processes on the same store; absent where there can be none. */
  readonly peers?: StorePeers;
  /** Of the embedded store alone. */
  readonly sealingThread?: SealingThread;
  /** Of the embedded store alone, see SqliteStore. */
  portFor?(asker: number): MessagePort;
}

export function isShared(store: string): boolean {
  return store !== "sqlite";
}

/** The one place that knows which kinds of stores there are. Throws the faults of opening them. */
export async function openStore(choice: StoreChoice): Promise<OpenedStore> {
  const { store, dataFolder, log, systemNowMs, versions, alone } = choice;
  if (!isShared(store)) {
    return openSqliteStore({ path: join(dataFolder, "sealpost.db"), log, versions });
  }
  // Loaded by those who use it alone.
  const { openPostgresStore } = await import("../stores/postgres/open.ts");
  return openPostgresStore({ url: store, log, systemNowMs, alone });
}
