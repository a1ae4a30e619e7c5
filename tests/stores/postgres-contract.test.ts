// Goal: the shared store keeps the contract that every store keeps.
// Method: the shared suite against a real PostgreSQL, a fresh schema for each test.
import { silentLog } from "../../src/kernel/log.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { sharedCluster } from "../harness/postgres/shared.ts";
import { testStoreContract } from "./contract/run.ts";

testStoreContract("postgres", async () => {
  const cluster = await sharedCluster();
  return openPostgresStore({ url: cluster.newStoreUrl(), log: silentLog, systemNowMs: Date.now });
});
