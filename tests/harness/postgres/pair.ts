import { appendFileSync, chownSync, cpSync, readdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { postgresUser } from "./binaries.ts";
import { type PostgresCluster, startCluster } from "./cluster.ts";

/** A primary with a synchronous standby behind one address, as high availability sets them up. */
export interface PostgresPair {
  /** Leads to whichever is the primary. */
  readonly storeUrl: string;
  /** kill -9 of the primary; the standby takes its place. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPair(): Promise<PostgresPair> {
  const primary = await startCluster();
  const started: PostgresCluster[] = [primary];
  const stopAll = () => Promise.all(started.map((cluster) => cluster.stop()));
  try {
    const standby = await standbyOf(primary);
    started.push(standby);
    const proxy = await startProxy(primary.port);
    return {
      storeUrl: `postgres://sealpost@127.0.0.1:${proxy.port}/postgres`,
      async failOver() {
        await primary.kill();
        await standby.sql("SELECT pg_promote()");
        proxy.leadTo(standby.port);
      },
      async stop() {
        proxy.close();
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** A copy of the stopped primary that follows it; then every commit waits for the copy. */
async function standbyOf(primary: PostgresCluster): Promise<PostgresCluster> {
  await primary.halt();
  const standby = await startCluster({
    async fill(dataFolder) {
      cpSync(primary.dataFolder, dataFolder, { recursive: true });
      writeFileSync(join(dataFolder, "standby.signal"), "");
      appendFileSync(
        join(dataFolder, "postgresql.conf"),
        `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=sealpost'\n`,
      );
      own(dataFolder);
      await primary.start();
    },
  });
  await primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await primary.sql("SELECT pg_reload_conf()");
  const isSynchronous = async () => {
    const [row] = await primary.sql("SELECT sync_state FROM pg_stat_replication");
    return row?.sync_state === "sync";
  };
  while (!(await isSynchronous())) await pause(20);
  return standby;
}

function own(folder: string): void {
  const user = postgresUser();
  if (!user) return;
  for (const entry of readdirSync(folder, { recursive: true })) {
    chownSync(join(folder, String(entry)), user.uid, user.gid);
  }
}

/** One address in front of both: connections of the old primary end with it. */
async function startProxy(firstPort: number) {
  let target = firstPort;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens");
  return {
    port: address.port,
    leadTo(port: number) {
      target = port;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
