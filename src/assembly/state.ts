import { join, resolve } from "node:path";
import { steadyNow } from "../clock/system.ts";
import type { Settings } from "../config.ts";
import { type ChainKey, chainKeys } from "../crypto/chain.ts";
import { HmacKey } from "../crypto/hmac.ts";
import { presentRingKey, type RingKey, type RingPurpose } from "../crypto/keyring.ts";
import { systemRandom } from "../crypto/random.ts";
import { envelopeDigest, placeMac, placeMacHolds, rowMac, rowMacHolds } from "../crypto/rows.ts";
import { createSecretBox } from "../crypto/secretbox.ts";
import { isRestoreUnsettled } from "../gateway/folder-swap.ts";
import type { Store } from "../kernel/command.ts";
import type { KeyVault } from "../kernel/keyvault.ts";
import type { Log } from "../kernel/log.ts";
import type { Peers } from "../kernel/peers.ts";
import type { SecretBox } from "../kernel/secrets.ts";
import { type KeyProcess, startKeyProcess } from "../keys/client.ts";
import type { PreparedKeyProcesses } from "../keys/prepared.ts";
import type { SealSource } from "../keys/seal-source.ts";
import type { SealingThread } from "../sealing/store.ts";
import type { UnlockAudit } from "../services/cloudtrail/store.ts";
import type { DeduplicationDigests, PlaceMacs, Tokens } from "../services/sqs/service.ts";
import { RecordCache, type RecordCacheOptions } from "../state/record-cache.ts";
import type { Turn } from "../state/turns.ts";
import { createDigests } from "./digests.ts";
import { type OpenedStore, openStore } from "./open-store.ts";
import { sealOf } from "./seal-source.ts";
import { isSealMissing, SealedError } from "./sealed.ts";
import { readSealedRing, writeSealedRing } from "./sealed-ring.ts";
import { StartError } from "./start-error.ts";
import { createTokens } from "./tokens.ts";

/** What a serving thread works on: store, keys, and what the ring's keys authenticate. */
export interface ServingState {
  readonly store: Store & Pick<OpenedStore, "failed">;
  readonly keys: KeyVault;
  readonly records: RecordCache;
  readonly secrets: SecretBox;
  readonly places: PlaceMacs;
  readonly tokens: Tokens;
  readonly digests: DeduplicationDigests;
  /** Seals what goes to the store; absent: the serving thread does. */
  readonly sealingThread?: SealingThread | undefined;
}

/** The durable half of a server, as the thread that opened it has it. */
export interface OpenState extends ServingState {
  readonly store: OpenedStore;
  readonly keys: KeyProcess;
  /** Runs an act of a start while no other process on the store runs one. */
  readonly alone: <T>(act: () => Promise<T>) => Promise<T>;
  /** All versions; the store makes new links with the newest. */
  readonly chainKeys: readonly ChainKey[];
}

export interface StateOptions {
  readonly dataFolder: string;
  /** See StoreChoice. */
  readonly store: string;
  readonly systemNowMs: () => number;
  readonly seal: SealSource;
  /** See KeyProcessOptions. */
  readonly prepared?: PreparedKeyProcesses | undefined;
  readonly log: Log;
  /** Other threads of this process on the same store; absent: there are none. */
  readonly threads?: ThreadsOnStore | undefined;
}

export interface ThreadsOnStore {
  readonly peers: Peers;
  /** Where the store tells all threads of changes. */
  readonly versions: SharedArrayBuffer;
  /** Waits until no thread changes configuration in a turn. */
  readonly takeTurn: () => Promise<Turn>;
}

export function stateOptions(
  settings: Settings,
  log: Log,
  prepared?: PreparedKeyProcesses,
): StateOptions {
  const { data, store } = settings;
  return {
    dataFolder: resolve(data),
    store,
    seal: sealOf(settings),
    prepared,
    log,
    systemNowMs: steadyNow,
  };
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
  if (isRestoreUnsettled(options.dataFolder)) {
    throw new StartError(
      "a restore of this data folder was cut off: a start of the server ends it",
    );
  }
  const { threads } = options;
  const store = await openStore({ ...options, versions: threads?.versions });
  scope.defer(() => store.close());
  const alone = <T>(act: () => Promise<T>) => store.peers?.alone("start", act) ?? act();
  // Processes that start together on an empty store: one makes the ring, the others find it.
  const keys = await alone(() => openKeys(store, options));
  scope.defer(() => keys.close());
  const chain = chainKeys(keys.ringKeys);
  await unlockAudit(store, chain);
  const others = threads ?? { peers: store.peers };
  return {
    ...{ store, keys, alone, chainKeys: chain },
    ...authenticatedBy(keys.ringKeys, store, others),
    sealingThread: threads ? undefined : sealingThreadOf(store, keys),
  };
}

/**
 * One serving thread leaves the store's thread time to seal for it. Of several each seals for
 * itself: they are there to use more processors, and the store's thread is what they share.
 */
function sealingThreadOf(
  { sealingThread }: OpenedStore,
  { ringKeys }: KeyProcess,
): SealingThread | undefined {
  sealingThread?.placesUnder(presentRingKey(ringKeys, "places").key);
  return sealingThread;
}

/** Throws SealedError if everything is there but the seal. */
async function openKeys(
  store: OpenedStore,
  { seal, prepared, log, dataFolder }: StateOptions,
): Promise<KeyProcess> {
  const sealed = await readSealedRing(store);
  const kind = sealed?.storedSeal.kind;
  if (kind !== undefined && kind !== seal.settings.kind) {
    throw new StartError(
      `this data folder is sealed by ${kind}: start it with --seal ${kind}, or change its seal ` +
        `with: sealpost seal migrate --to ${seal.settings.kind}`,
    );
  }
  try {
    const { ring, storedSeal } = sealed ?? {};
    const useLogFile = join(dataFolder, "key-uses.log");
    const keys = await startKeyProcess({ seal, prepared, storedSeal, ring, log, useLogFile });
    if (sealed === undefined) await writeSealedRing(store, keys);
    return keys;
  } catch (error) {
    // Without a ring there is nothing to unseal: the start has failed.
    if (sealed === undefined || !isSealMissing(error)) throw error;
    throw new SealedError(error.message, { cause: error });
  }
}

/** The store chains events under the newest of the keys. */
async function unlockAudit(store: OpenedStore, all: readonly ChainKey[]): Promise<void> {
  const newest = all.reduce((one, other) => (other.version > one.version ? other : one));
  const unlock: UnlockAudit = { kind: "audit.unlock", ...newest };
  await store.commit({ decidedUnder: [], commands: [unlock] });
}

/** What the keys of the ring authenticate in a store. */
export function authenticatedBy(
  ring: readonly RingKey[],
  store: Store,
  { peers, takeTurn }: Pick<RecordCacheOptions, "peers" | "takeTurn">,
) {
  const all = (purpose: RingPurpose) => ring.filter((key) => key.purpose === purpose);
  const [rowsKey, placesKey, tokensKey] = (["rows", "places", "tokens"] as const).map(
    (purpose) => presentRingKey(ring, purpose).key,
  ) as [Buffer, Buffer, Buffer];
  const rows = all("rows");
  const place = new HmacKey(placesKey);
  const places = all("places").map(({ key }) => new HmacKey(key));
  const records = new RecordCache({
    store,
    entriesMax: recordEntriesMax,
    peers,
    takeTurn,
    rows: {
      make: (record) => rowMac(rowsKey, record),
      verify: (record) => rows.some(({ key }) => rowMacHolds(key, record)),
    },
  });
  const placeMacs: PlaceMacs = {
    make: (queueId, messageId, envelope) =>
      placeMac(place, queueId, messageId, envelopeDigest(envelope)),
    verify(queueId, messageId, envelope, mac) {
      const digest = envelopeDigest(envelope);
      return places.some((key) => placeMacHolds(key, queueId, messageId, digest, mac));
    },
  };
  return {
    records,
    secrets: createSecretBox(ring, systemRandom),
    places: placeMacs,
    tokens: createTokens(tokensKey, all("tokens")),
    digests: createDigests(all("tokens")),
  };
}
