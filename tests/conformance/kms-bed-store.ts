import { after } from "node:test";
import { silentLog } from "../../src/kernel/log.ts";
import type { RecordCacheOptions } from "../../src/state/record-cache.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { newStoreUrl } from "../harness/store-choice.ts";
import { memoryStore } from "./kms-memory.ts";

/** Records in memory; with SEALPOST_TEST_STORE=postgres in a schema of PostgreSQL, until the test ends. */
export async function openBedStore(): Promise<Pick<RecordCacheOptions, "store" | "peers">> {
  const url = await newStoreUrl();
  if (url === undefined) return { store: memoryStore() };
  const store = await openPostgresStore({ url, log: silentLog, systemNowMs: Date.now });
  after(() => store.close());
  return { store, peers: store.peers };
}
