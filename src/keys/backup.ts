import type { WrappedKey } from "../crypto/wrap.ts";
import { entryUrl } from "../kernel/entry-url.ts";
import type { Log } from "../kernel/log.ts";
import { type StoredSeal, sealReach, settleSeal } from "../seals/seal.ts";
import { type Link, startLink } from "./link.ts";
import { type Field, operations, ownField, textField } from "./protocol.ts";
import type { ResealedRing } from "./reseal.ts";
import { type SealSource, startSealHelper } from "./seal-source.ts";

/** Keys of one backup's header MAC and payload; whoever has them can read rows, and no ring. */
export interface BackupKeys {
  readonly headerKey: Buffer;
  readonly payloadKey: Buffer;
}

/** What begins a backup. `wraps` are in the order of the public keys. */
export interface SealedBackup extends BackupKeys {
  /** The ring under the backup's own key. */
  readonly ring: Buffer;
  readonly wraps: readonly WrappedKey[];
}

export function readSealedBackup(fields: readonly Buffer[]): SealedBackup {
  const [ring, headerKey, payloadKey] = [0, 1, 2].map((index) => ownField(fields, index));
  if (!ring || !headerKey || !payloadKey) throw new Error("the key process left a field out");
  return { ring, headerKey, payloadKey, wraps: readWraps(fields.slice(3)) };
}

function readWraps(fields: readonly Buffer[]): WrappedKey[] {
  return Array.from({ length: fields.length / 2 }, (_, index) => ({
    encapsulation: ownField(fields, index * 2),
    wrapped: ownField(fields, index * 2 + 1),
  }));
}

/** A backup key: what its public half is, and what opens its seal again. */
export interface BackupKeyFacts {
  readonly publicKey: Buffer;
  readonly storedSeal: StoredSeal;
}

/**
 * Makes a backup key under a seal, or opens it again. Throws what the seal throws.
 *
 * INVARIANT: the private half stays in the key process that this starts and ends.
 */
export async function readBackupKey(
  source: SealSource,
  storedSeal: StoredSeal | undefined,
  log: Log,
): Promise<BackupKeyFacts> {
  const link = startBackupLink([source], storedSeal, log);
  try {
    return await link.request(operations.backupKey, sealFields(source, storedSeal), (fields) => ({
      publicKey: ownField(fields, 0),
      storedSeal: JSON.parse(textField(fields, 1)),
    }));
  } finally {
    await link.close();
    settleSeal(source.settings, 0);
  }
}

export interface OpenBackupOptions {
  /** The seal of the backup key. */
  readonly source: SealSource;
  readonly storedSeal: StoredSeal;
  readonly id: Buffer;
  readonly wrap: WrappedKey;
  /** The seal that the ring is to be under after a restore. */
  readonly to?: SealSource;
  readonly log: Log;
}

/** A backup that is open in a key process of its own. */
export interface OpenedBackup extends BackupKeys {
  /** Wraps the backup's key for others. */
  wrapFor(publicKeys: readonly Buffer[]): Promise<readonly WrappedKey[]>;
  /** The backup's ring under the seal `to`; settled and ready to be stored. */
  reseal(ring: Uint8Array): Promise<Omit<ResealedRing, "oldFingerprint">>;
  close(): Promise<void>;
}

/** Throws Fault `backup-key-wrong`, and what opening the seal throws. */
export async function openBackup(options: OpenBackupOptions): Promise<OpenedBackup> {
  const { source, storedSeal, id, wrap, to, log } = options;
  const link = startBackupLink(to ? [source, to] : [source], storedSeal, log);
  const asked = [...sealFields(source, storedSeal), id, wrap.encapsulation, wrap.wrapped];
  try {
    const keys = await link.request(operations.openBackup, asked, (fields) => ({
      headerKey: ownField(fields, 0),
      payloadKey: ownField(fields, 1),
    }));
    return {
      ...keys,
      wrapFor: (publicKeys) => link.request(operations.wrapBackup, publicKeys, readWraps),
      reseal: (ring) => reseal(link, to, ring),
      close: () => link.close(),
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function reseal(link: Link, to: SealSource | undefined, ring: Uint8Array) {
  if (to === undefined) throw new Error("nobody said what seals the ring");
  const asked = [JSON.stringify(to.settings), to.secret ?? "", ring];
  const resealed = await link.request(operations.resealBackup, asked, (fields) => ({
    ring: ownField(fields, 0),
    fingerprint: textField(fields, 1),
    storedSeal: JSON.parse(textField(fields, 2)) as StoredSeal,
  }));
  settleSeal(to.settings, 0);
  return resealed;
}

function sealFields({ settings, secret }: SealSource, stored?: StoredSeal): Field[] {
  return [JSON.stringify(settings), secret ?? "", stored ? JSON.stringify(stored) : ""];
}

function startBackupLink(
  sources: readonly SealSource[],
  storedSeal: StoredSeal | undefined,
  log: Log,
): Link {
  const reaches = sources.map(({ settings }) => sealReach(settings));
  const reach = {
    read: reaches.flatMap(({ read }) => read),
    write: reaches.flatMap(({ write }) => write),
  };
  const link = startLink(entryUrl(import.meta.url, "./child"), reach, log, { helperPipeCount: 2 });
  const [ownPipe, newPipe] = link.helperPipes;
  const [own, to] = sources;
  const first = own && ownPipe ? startSealHelper(own, storedSeal, ownPipe, log) : undefined;
  // One after the other: a token serves one of them at a time. A target's seal begins anew.
  void Promise.resolve(first).then(() => {
    if (newPipe === undefined || newPipe.destroyed) return;
    if (to) void startSealHelper(to, undefined, newPipe, log);
    else newPipe.destroy();
  });
  return link;
}
