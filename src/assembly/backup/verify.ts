import { BackupError } from "../../backup/error.ts";
import type { ReadHeader } from "../../backup/header.ts";
import type { Manifest } from "../../backup/manifest.ts";
import type { Log } from "../../kernel/log.ts";
import { type Candidates, noCandidates, noteCandidates } from "./destroyed.ts";
import { type BackupKeyUse, openWith } from "./keys.ts";
import { type Progress, readHeader, readPayload } from "./read.ts";

export interface VerifiedPayload {
  readonly manifest: Manifest;
  readonly candidates: Candidates;
  /** Rows of each table that has some. */
  readonly rows: Readonly<Record<string, number>>;
  readonly files: number;
}

/** Reads a backup to its end. Throws BackupError if anything in it is not as it was written. */
export async function verifyPayload(
  file: string,
  header: ReadHeader,
  key: Uint8Array,
  progress: Progress,
): Promise<VerifiedPayload> {
  const candidates = noCandidates();
  const rows: Record<string, number> = {};
  let files = 0;
  const visitor = {
    rows(table: Parameters<typeof noteCandidates>[1], batch: Parameters<typeof noteCandidates>[2]) {
      noteCandidates(candidates, table, batch);
      rows[table.name] = (rows[table.name] ?? 0) + batch.length;
    },
    file() {
      files += 1;
    },
  };
  const manifest = await readPayload(file, header.bytes, key, visitor, progress);
  const { installationId, epoch, ring } = manifest;
  if (typeof installationId !== "string" || !Number.isSafeInteger(epoch) || !ring) {
    throw new BackupError("the backup is damaged: it does not say what it is of");
  }
  return { manifest, candidates, rows, files };
}

export interface VerifyRequest {
  readonly file: string;
  readonly key: BackupKeyUse;
  readonly log: Log;
  readonly progress: Progress;
}

/** `sealpost backup verify`: everything that a restore checks, and nothing written. */
export async function verifyBackup(request: VerifyRequest): Promise<VerifiedPayload> {
  const { file, key, log, progress } = request;
  const header = readHeader(file);
  const backup = await openWith(header, key, log);
  try {
    return await verifyPayload(file, header, backup.payloadKey, progress);
  } finally {
    await backup.close();
  }
}
