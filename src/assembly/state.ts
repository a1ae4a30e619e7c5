import { join, resolve } from "node:path";
import { type ChainKey, chainKeys } from "../crypto/chain.ts";
import type { RingKey, RingPurpose } from "../crypto/keyring.ts";
import { systemRandom } from "../crypto/random.ts";
import { envelopeDigest, placeMac, placeMacHolds, rowMac, rowMacHolds } from "../crypto/rows.ts";
import { createSecretBox } from "../crypto/secretbox.ts";
import type { Log } from "../kernel/log.ts";
import type { GetMeta, PutMeta } from "../kernel/meta.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import { type KeyProcess, startKeyProcess } from "../keys/client.ts";
import type { UnlockAudit } from "../services/cloudtrail/store.ts";
import type { DeduplicationDigests, PlaceMacs, Tokens } from "../services/sqs/service.ts";
import { RecordCache } from "../state/record-cache.ts";
import { openSqliteStore, type SqliteStore } from "../stores/sqlite/open.ts";
import { createDigests } from "./digests.ts";
import { createTokens } from "./tokens.ts";

/** The durable half of a server: store, key process, and what their keys authenticate. */
export interface OpenState {
  readonly store: SqliteStore;
  readonly keys: KeyProcess;
  readonly records: RecordCache;
  readonly secrets: SecretBox;
  readonly places: PlaceMacs;
  readonly tokens: Tokens;
  readonly digests: DeduplicationDigests;
  /** All versions; the store makes new links with the newest. */
  readonly chainKeys: readonly ChainKey[];
}

export interface StateOptions {
  readonly dataFolder: string;
  /** undefined: `root.key` in the data folder. */
  readonly sealFile: string | undefined;
  readonly log: Log;
}

const recordEntriesMax = 200_000;

/**
 * Opens store and key process. The ring is made at the first start and stored before anything that
 * depends on it; with a ring in the store a missing root key is an error, never a new key.
 */
export async function openState(
  options: StateOptions,
  scope: AsyncDisposableStack,
): Promise<OpenState> {
  const { log } = options;
  const store = await openSqliteStore({ path: join(options.dataFolder, "sealpost.db"), log });
  scope.defer(() => store.close());
  const ring = await store.query<GetMeta>({ kind: "meta.get", name: ringName });
  const keys = await startKeyProcess({
    seal: {
      kind: "file",
      path: resolve(options.sealFile ?? join(options.dataFolder, "root.key")),
      mayCreate: ring === undefined,
    },
    ring,
    log,
  });
  scope.defer(() => keys.close());
  if (ring === undefined) {
    const put: PutMeta = { kind: "meta.put", name: ringName, value: keys.ring };
    await store.commit({ decidedUnder: [], commands: [put] });
  }
  const chain = chainKeys(keys.ringKeys);
  await unlockAudit(store, chain);
  return { store, keys, chainKeys: chain, ...authenticatedBy(keys.ringKeys, keys, store) };
}

/** The store chains events under the newest of the keys. */
async function unlockAudit(store: SqliteStore, all: readonly ChainKey[]): Promise<void> {
  const newest = all.reduce((one, other) => (other.version > one.version ? other : one));
  const unlock: UnlockAudit = { kind: "audit.unlock", ...newest };
  await store.commit({ decidedUnder: [], commands: [unlock] });
}

const ringName = "key-ring";

function authenticatedBy(ring: readonly RingKey[], keys: KeyProcess, store: SqliteStore) {
  const all = (purpose: RingPurpose) => ring.filter((key) => key.purpose === purpose);
  const rows = all("rows");
  const places = all("places");
  const records = new RecordCache({
    store,
    entriesMax: recordEntriesMax,
    rows: {
      make: (record) => rowMac(keys.rowsKey, record),
      verify: (record) => rows.some(({ key }) => rowMacHolds(key, record)),
    },
  });
  const placeMacs: PlaceMacs = {
    make: (queueId, messageId, envelope) =>
      placeMac(keys.placesKey, queueId, messageId, envelopeDigest(envelope)),
    verify(queueId, messageId, envelope, mac) {
      const digest = envelopeDigest(envelope);
      return places.some(({ key }) => placeMacHolds(key, queueId, messageId, digest, mac));
    },
  };
  return {
    records,
    secrets: createSecretBox(ring, systemRandom),
    places: placeMacs,
    tokens: createTokens(keys.tokensKey, all("tokens")),
    digests: createDigests(all("tokens")),
  };
}
