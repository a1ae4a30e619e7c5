import { after } from "node:test";
import { type PostgresCluster, startCluster } from "./cluster.ts";

const shared: { cluster?: Promise<PostgresCluster> } = {};

after(async () => {
  const cluster = await shared.cluster;
  await cluster?.stop();
});

/** The one PostgreSQL of this test file: started at the first use, stopped when the file ends. */
export function sharedCluster(): Promise<PostgresCluster> {
  shared.cluster ??= startCluster();
  return shared.cluster;
}
