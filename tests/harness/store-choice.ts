import { sharedCluster } from "./postgres/shared.ts";

/** A store by the name of its setting. */
interface StoreFlag {
  readonly store?: string;
}

/** For tests of what lies in the files of the embedded store: why they are left out, or false. */
export const embeddedOnly =
  process.env.SEALPOST_TEST_STORE === "postgres" && "about the files of the embedded store";

const urls = new Map<string, string>();

/**
 * The store of a test server: embedded, or with SEALPOST_TEST_STORE=postgres a schema of its own in
 * the PostgreSQL of this test file. A data folder keeps its store over restarts.
 */
export async function storeOf(dataFolder: string): Promise<StoreFlag> {
  const known = urls.get(dataFolder);
  if (known !== undefined) return { store: known };
  const store = await newStoreUrl();
  if (store === undefined) return {};
  urls.set(dataFolder, store);
  return { store };
}

/** A schema of its own in the PostgreSQL of this test file, or undefined: the embedded store. */
export async function newStoreUrl(): Promise<string | undefined> {
  if (process.env.SEALPOST_TEST_STORE !== "postgres") return undefined;
  return (await sharedCluster()).newStoreUrl();
}
