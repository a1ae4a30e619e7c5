import { Fault } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { Connections } from "./carry-out.ts";
import { type Connection, connect, silenceMaxMs } from "./session.ts";
import type { PostgresAddress } from "./url.ts";

export interface OpenConnections extends Connections {
  close(): Promise<void>;
}

interface Borrower {
  resolve(lent: readonly [Connection, () => void]): void;
  reject(error: unknown): void;
}

/** Connections that are made when they are needed, and again when they were lost. */
export function createConnections(address: PostgresAddress, log: Log): OpenConnections {
  let lane: Promise<Connection> | undefined;
  const idle: Connection[] = [];
  const borrowers: Borrower[] = [];
  let lent = 0;
  let closed = false;

  async function open(name: string): Promise<Connection> {
    const connection = await connect(address, name, silenceMaxMs);
    connection.onLost(() => {
      if (!closed) log.warn("a connection to the database was lost", { name });
    });
    return connection;
  }

  function usableIdle(): Connection | undefined {
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) if (one.usable) return one;
    return undefined;
  }

  async function lend({ resolve, reject }: Borrower): Promise<void> {
    lent += 1;
    try {
      const connection = usableIdle() ?? (await open("questions"));
      resolve([
        connection,
        () => {
          if (closed) void connection.close();
          else idle.push(connection);
          done();
        },
      ]);
    } catch (error) {
      reject(error);
      done();
    }
  }

  function done(): void {
    lent -= 1;
    const next = borrowers.shift();
    if (next) void lend(next);
  }

  return {
    async lane() {
      if (closed) throw new Fault("store-closed", "the store is closed");
      const known = lane && (await lane.catch(() => undefined));
      if (known?.usable) return known;
      lane = open("lane");
      return lane;
    },
    borrow() {
      if (closed) throw new Fault("store-closed", "the store is closed");
      return new Promise((resolve, reject) => {
        const borrower = { resolve, reject };
        if (lent < address.poolSize) void lend(borrower);
        else borrowers.push(borrower);
      });
    },
    async close() {
      closed = true;
      const last = await lane?.catch(() => undefined);
      await Promise.all([last, ...idle].map((connection) => connection?.close()));
    },
  };
}
