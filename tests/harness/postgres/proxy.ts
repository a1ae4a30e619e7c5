import { connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** An address on loopback in front of a database, with a way there that a test makes bad. */
export interface DatabaseProxy {
  readonly port: number;
  /** Where new connections lead. */
  leadTo(port: number): void;
  /** From now on bytes take so much longer, each way. */
  delay(milliseconds: number): void;
  /**
   * Lets no byte through and tells nobody, as when a host has lost its power: on all connections,
   * or on those of this application name.
   */
  stall(applicationName?: string): void;
  /** Ends a stall: what was held back arrives. */
  flow(): void;
  /** On the connections of now nothing comes through any more, and nobody is told; new ones work. */
  abandon(): void;
  close(): void;
}

interface Way {
  targetPort: number;
  delayMs: number;
  /** Grows with each `abandon`: older connections are dead. */
  age: number;
  stalled: { readonly applicationName: string; readonly over: Promise<void> } | undefined;
}

export async function startProxy(targetPort: number): Promise<DatabaseProxy> {
  const way: Way = { targetPort, delayMs: 0, age: 0, stalled: undefined };
  const sockets = new Set<Socket>();
  let endStall = (): void => {};
  const server = createServer((client) => {
    const upstream = connect(way.targetPort, "127.0.0.1");
    const { age } = way;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        // Of an abandoned connection not even the end is told.
        if (age !== way.age && socket === upstream) return;
        client.destroy();
        upstream.destroy();
      });
    }
    lead(client, upstream, way);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens");
  const flow = (): void => {
    way.stalled = undefined;
    endStall();
  };
  return {
    port: address.port,
    leadTo(port) {
      way.targetPort = port;
    },
    delay(milliseconds) {
      way.delayMs = milliseconds;
    },
    stall(applicationName = "") {
      flow();
      const { promise: over, resolve } = Promise.withResolvers<void>();
      endStall = resolve;
      way.stalled = { applicationName, over };
    },
    flow,
    abandon() {
      way.age += 1;
    },
    close() {
      flow();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function lead(client: Socket, upstream: Socket, way: Way): void {
  const connection = { startUp: "", age: way.age };
  client.once("data", (first: Buffer) => {
    connection.startUp = first.toString("latin1");
  });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    let before = Promise.resolve();
    from.on("data", (bytes: Buffer) => {
      const dueMs = performance.now() + way.delayMs;
      before = before.then(async () => {
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await pause(waitMs);
        while (way.stalled && connection.startUp.includes(way.stalled.applicationName)) {
          await way.stalled.over;
        }
        if (!to.destroyed && connection.age === way.age) to.write(bytes);
      });
    });
    from.on("end", () => {
      void before.then(() => {
        if (connection.age === way.age) to.end();
      });
    });
  }
}
