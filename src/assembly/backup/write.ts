import { type Frame, frameTypes, jsonFrame, sealFrames } from "../../backup/frames.ts";
import { type BackupWrap, encodeHeader } from "../../backup/header.ts";
import type { Manifest, StoreHead, Totals } from "../../backup/manifest.ts";
import { encodeRow, type TableSum, TableSummer } from "../../backup/rows.ts";
import { publicKeyFingerprint } from "../../crypto/wrap.ts";
import type { Random } from "../../kernel/random.ts";
import type { StoreSnapshot, TableShape } from "../../kernel/tables.ts";
import type { KeyProcess } from "../../keys/client.ts";
import { fileFrames, filesToKeep } from "./files.ts";

/** A backup key as far as a backup needs it. */
export interface BackupRecipient {
  readonly publicKey: Uint8Array;
  /** Goes into the backup, so that the passphrase or KMS alone opens it. */
  readonly storedSeal?: object;
}

export interface BackupSource {
  readonly keys: Pick<KeyProcess, "sealBackup">;
  readonly random: Random;
  readonly dataFolder: string;
  /** The store as it is at one moment; asked for once the backup has begun. */
  readonly snapshot: () => Promise<StoreSnapshot>;
  readonly manifest: Omit<Manifest, "ring">;
}

const idBytes = 32;
/** A reader must not take a long silence for the end of the writer. */
const aliveMs = 10_000;
/** They hold the ring under the root key of this place; the manifest has it for the backup. */
const leftOut = new Set(["key-ring", "seal"]);

/**
 * A whole installation as the bytes of a backup. The parts come as fast as they are taken; the
 * snapshot is let go of when the reader stops, too.
 */
export async function* writeBackup(
  source: BackupSource,
  recipients: readonly BackupRecipient[],
): AsyncGenerator<Buffer> {
  const id = source.random.bytes(idBytes);
  const publicKeys = recipients.map(({ publicKey }) => publicKey);
  const sealed = await source.keys.sealBackup(id, publicKeys);
  const wraps = recipients.flatMap(({ publicKey, storedSeal }, index): BackupWrap[] => {
    const wrap = sealed.wraps[index];
    if (wrap === undefined) return [];
    return [{ ...wrap, key: publicKeyFingerprint(publicKey), ...(storedSeal && { storedSeal }) }];
  });
  try {
    yield encodeHeader({ id, wraps }, sealed.headerKey);
    const manifest: Manifest = { ...source.manifest, ring: sealed.ring.toString("base64") };
    yield* sealFrames(sealed.payloadKey, frames(source, manifest));
  } finally {
    sealed.payloadKey.fill(0);
    sealed.headerKey.fill(0);
  }
}

async function* frames(source: BackupSource, manifest: Manifest): AsyncGenerator<Frame> {
  yield jsonFrame(frameTypes.manifest, manifest);
  const taking = source.snapshot();
  yield* aliveUntil(taking);
  const snapshot = await taking;
  const tables: Record<string, TableSum> = {};
  try {
    const head: StoreHead = { form: snapshot.form };
    yield jsonFrame(frameTypes.store, head);
    for (const table of snapshot.tables) {
      const summer = new TableSummer();
      yield* tableFrames(snapshot, table, summer);
      tables[table.name] = summer.sum();
    }
  } finally {
    await snapshot.close();
  }
  let files = 0;
  for (const path of filesToKeep(source.dataFolder)) {
    for await (const frame of fileFrames(source.dataFolder, path)) {
      if (frame.type === frameTypes.file) files += 1;
      yield frame;
    }
  }
  const totals: Totals = { tables, files };
  yield jsonFrame(frameTypes.end, totals);
}

async function* tableFrames(
  snapshot: StoreSnapshot,
  table: TableShape,
  summer: TableSummer,
): AsyncGenerator<Frame> {
  yield jsonFrame(frameTypes.table, table);
  for await (const rows of snapshot.rows(table)) {
    const kept = table.name === "meta" ? rows.filter(([name]) => !leftOut.has(`${name}`)) : rows;
    const encoded = kept.map(encodeRow);
    for (const row of encoded) summer.add(row);
    yield { type: frameTypes.rows, bytes: Buffer.concat(encoded) };
  }
}

async function* aliveUntil(work: Promise<unknown>): AsyncGenerator<Frame> {
  let timer: NodeJS.Timeout | undefined;
  const over = work.then(
    () => true,
    () => true,
  );
  try {
    for (;;) {
      const waited = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), aliveMs);
      });
      if (await Promise.race([over, waited])) return;
      yield { type: frameTypes.alive, bytes: Buffer.alloc(0) };
    }
  } finally {
    clearTimeout(timer);
  }
}
