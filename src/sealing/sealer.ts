import { openBody } from "../crypto/envelope.ts";
import type { Body } from "../kernel/body.ts";
import type { Call } from "../kernel/call.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { assert, Fault, Refusal } from "../kernel/errors.ts";
import type { Random } from "../kernel/random.ts";
import type { Sealed, StoredDataKey, Unsealed } from "../kernel/sealed.ts";
import type {
  Encryption,
  Opened,
  OpeningPlace,
  SealedBodies,
  SealedRow,
  Sealer,
  SealingPlace,
} from "../kernel/sealer.ts";
import type { Soon } from "../kernel/soon.ts";
import {
  type CachedDataKey,
  DataKeyCache,
  type DataKeyLimits,
  dataKeyLimits,
  type HeldKey,
  type KeyHolder,
  type KeyUse,
} from "./data-key-cache.ts";
import type { DataKeySource } from "./data-key-sources.ts";
import { openingName, requesterOf, sealingName } from "./key-names.ts";
import { type Seal, SealedUnder, type SealingFacts, sealBy, sealHere } from "./sealed-under.ts";
import type { SealingThread } from "./store.ts";

export interface SealerDependencies {
  /** Data keys by sealing mode: the user's KMS key, or a key of the installation. */
  readonly sources: Readonly<Record<Encryption["mode"], DataKeySource>>;
  readonly random: Random;
  /** Set in a thread that gets its data keys from the cache of the process. */
  readonly borrow?: BorrowKey | undefined;
  /** Seals what goes to the store; absent: this thread does. */
  readonly sealingThread?: SealingThread | undefined;
}

/** Which data key is wanted, and how old it may be: what the cache of the process asks for. */
export interface KeyLoan {
  readonly use: "seal" | "open";
  readonly name: string;
  readonly nowMs: EpochMs;
  readonly reuseMs: number;
}

/** A copy for one thread, good for `loanLimits`. */
export type LentKey = CachedDataKey<SealingFacts | undefined>;

/** Asks the cache of the process for a key; `fetch` asks the KMS, if it has none. */
export type BorrowKey = (loan: KeyLoan, fetch: () => Promise<LentKey>) => Promise<LentKey>;

/** Uses and bytes that a loan allows: many of them stay within the limits of the key. */
const loanLimits: DataKeyLimits = {
  usesMax: dataKeyLimits.usesMax / 64,
  bytesMax: dataKeyLimits.bytesMax / 64,
  entriesMax: dataKeyLimits.entriesMax,
};

/**
 * Reuse of data keys that no user pays for or watches. SSE-SQS as SSE-KMS by default; the
 * installation's own longer, since only the root key guards both.
 */
const ownReuseMs = { owned: 300_000, installation: 3_600_000 } as const;

/** Sealer with its two caches: one for sealing, one for opening, as SQS keeps them. */
export function createSealer(deps: SealerDependencies): Sealer & DataKeyHolder {
  const limits = deps.borrow ? loanLimits : dataKeyLimits;
  const { sealingThread } = deps;
  const sealForStore = sealingThread ? sealBy(sealingThread) : sealHere;
  /** Until the store's thread has wiped all that it was told to. */
  let wiped: Promise<void> = Promise.resolve();
  const sealing = new DataKeyCache<SealingFacts>(limits, ({ facts }) => {
    if (facts.handedOver && sealingThread) wiped = sealingThread.drop(facts.stored.id);
  });
  const opening = new DataKeyCache<undefined>(limits);
  return {
    sharesBodies: sealingThread !== undefined,
    async lend({ use, ...loan }, fetch) {
      const lent = { ...loan, uses: loanLimits.usesMax, bytes: loanLimits.bytesMax };
      if (use === "open") return opening.with({ ...lent, fetch: opened(fetch), use: copyOf });
      return sealing.with({ ...lent, fetch: sealingKeyOf(fetch), use: copyOf });
    },
    seal: (call, place, bodies) =>
      withDataKey(deps, sealing, call, place, bodies.map(bodyOf), sealHere),
    sealForStore: (call, place, bodies) =>
      withDataKey<Sealed | Unsealed>(deps, sealing, call, place, bodies, sealForStore),
    open: (call, place, rows) => open(deps, opening, call, place, rows),
    forget(keyArn) {
      sealing.forget(keyArn);
      opening.forget(keyArn);
      return wiped;
    },
    held: (nowMs) => [
      ...sealing.held(nowMs).map((key) => ({ ...key, use: "seal" as const })),
      ...opening.held(nowMs).map((key) => ({ ...key, use: "open" as const })),
    ],
    close() {
      sealing.clear();
      opening.clear();
    },
  };
}

function copyOf<T>(key: CachedDataKey<T>): CachedDataKey<T> {
  const plaintext = Buffer.allocUnsafeSlow(key.plaintext.length);
  key.plaintext.copy(plaintext);
  return { ...key, plaintext };
}

type Fetch<T> = () => Promise<CachedDataKey<T>>;

function sealingKeyOf(fetch: Fetch<SealingFacts | undefined>): Fetch<SealingFacts> {
  return async () => {
    const { facts, ...key } = await fetch();
    assert(facts, "who seals fetches keys to seal with");
    return { ...key, facts };
  };
}

function opened(fetch: Fetch<unknown>): Fetch<undefined> {
  return async () => ({ ...(await fetch()), facts: undefined });
}

/** Who must be told that key material is gone. */
export interface DataKeyHolder {
  /** Wipes cached data keys of a KMS key at once, in all threads when it is done. */
  forget(keyArn: string): void | Promise<void>;
  /** For the other threads of the process, whose keys are those of this cache. */
  readonly lend: BorrowKey;
  /** Data keys of users' keys that can be used until a time without the KMS being asked. */
  held(nowMs: EpochMs): readonly HeldDataKey[];
  close(): void;
}

export interface HeldDataKey extends HeldKey {
  readonly use: "seal" | "open";
}

const bodyOf = (bytes: Uint8Array): Body => ({ bytes, insertion: undefined });

function withDataKey<S extends Sealed | Unsealed>(
  deps: SealerDependencies,
  cache: DataKeyCache<SealingFacts>,
  call: Call,
  place: SealingPlace,
  bodies: readonly Body[],
  seal: Seal<S>,
): Soon<SealedBodies<S>> {
  const { encryption } = place;
  let bytes = 0;
  for (const body of bodies) bytes += body.bytes.length;
  const wanted: KeyUse = {
    name: sealingName(call, place),
    nowMs: call.now,
    reuseMs: encryption.mode === "kms" ? encryption.reusePeriodMs : ownReuseMs[encryption.mode],
    uses: bodies.length,
    bytes,
  };
  const ready = cache.ready(wanted);
  if (ready) return new SealedUnder(ready, place.arn, bodies, seal);
  const fetch = () => fetchSealingKey(deps, call, place);
  const { borrow } = deps;
  return cache.with({
    ...wanted,
    fetch: borrow ? sealingKeyOf(() => borrow({ use: "seal", ...wanted }, fetch)) : fetch,
    use: (key) => new SealedUnder(key, place.arn, bodies, seal),
  });
}

async function fetchSealingKey(
  deps: SealerDependencies,
  call: Call,
  place: SealingPlace,
): Promise<CachedDataKey<SealingFacts>> {
  const source = deps.sources[place.encryption.mode];
  const fresh = await source.generate(call, place);
  const stored: StoredDataKey = {
    id: deps.random.bytes(16).toString("hex"),
    accountId: place.accountId,
    region: place.region,
    sealingArn: place.arn,
    mode: place.encryption.mode,
    keyArn: fresh.keyArn,
    blob: fresh.blob,
    createdMs: call.now,
  };
  const { plaintext, keyArn } = fresh;
  const facts = { stored, durable: false, handedOver: false };
  const key = { plaintext, facts, fetchedMs: call.now, keyArn };
  return place.encryption.mode === "kms" ? { ...key, holder: holderOf(call, place.arn) } : key;
}

function holderOf(call: Call, resourceArn: string): KeyHolder {
  return { resourceArn, requester: requesterOf(call) };
}

async function open(
  deps: SealerDependencies,
  cache: DataKeyCache<undefined>,
  call: Call,
  place: OpeningPlace,
  rows: readonly SealedRow[],
): Promise<readonly Opened[]> {
  // One after the other: the rows of a receive mostly share one data key, and one KMS call.
  const opened: Opened[] = [];
  const refused = new Map<string, Error>();
  for (const row of rows) {
    const before = refused.get(row.dataKey.id);
    const result = before
      ? ({ ok: false, error: before } as const)
      : await openRow(deps, cache, call, place, row);
    if (!result.ok && result.error instanceof Refusal) refused.set(row.dataKey.id, result.error);
    opened.push(result);
  }
  return opened;
}

async function openRow(
  deps: SealerDependencies,
  cache: DataKeyCache<undefined>,
  call: Call,
  place: OpeningPlace,
  row: SealedRow,
): Promise<Opened> {
  const { dataKey } = row;
  const kms = dataKey.mode === "kms";
  const wanted = {
    name: openingName(call, dataKey),
    nowMs: call.now,
    reuseMs: kms ? place.reusePeriodMs : ownReuseMs.installation,
  };
  const fetch = async () => ({
    plaintext: await deps.sources[dataKey.mode].open(call, place, dataKey),
    facts: undefined,
    fetchedMs: call.now,
    keyArn: dataKey.keyArn,
    ...(kms && { holder: holderOf(call, dataKey.sealingArn) }),
  });
  const { borrow } = deps;
  try {
    const body = await cache.with({
      ...wanted,
      uses: 1,
      bytes: row.bytes.length,
      fetch: borrow ? opened(() => borrow({ use: "open", ...wanted }, fetch)) : fetch,
      use: ({ plaintext }) => openBody(plaintext, dataKey.id, dataKey.sealingArn, row.bytes),
    });
    if (body) return { ok: true, body };
    return { ok: false, error: new Fault("body-authentication", "a stored body is not authentic") };
  } catch (error) {
    if (error instanceof Error) return { ok: false, error };
    throw error;
  }
}
