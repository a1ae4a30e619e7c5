import { appendFileSync, chownSync, cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { postgresUser } from "./binaries.ts";
import { type PostgresCluster, startCluster } from "./cluster.ts";
import { startProxy } from "./proxy.ts";

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
