import { type PostgresCluster, startCluster } from "./cluster.ts";

const shared: { cluster?: Promise<PostgresCluster> } = {};

/**
 * The one PostgreSQL of this test file: started at the first use. It ends with the process, so that
 * no hook of a test can stop it while a server still works on it.
 */
export function sharedCluster(): Promise<PostgresCluster> {
  shared.cluster ??= startCluster().then((cluster) => {
    cluster.endWithProcess();
    return cluster;
  });
  return shared.cluster;
}
