import type { StoreForm } from "../kernel/tables.ts";
import type { TableSum } from "./rows.ts";

/** What a backup says of itself; inside the encrypted part. */
export interface Manifest {
  /** Names the installation for ever; made at its first backup. */
  readonly installationId: string;
  /**
   * Counts the backups and restores of the installation. A store whose epoch is greater than a
   * backup's came after it, and knows what was destroyed since.
   */
  readonly epoch: number;
  /** System time, ISO 8601. */
  readonly createdAt: string;
  /** Of the program that made it. */
  readonly version: string;
  /** `installation.json` as it was. */
  readonly installation: object;
  readonly clockOffsetMs: number;
  /** The key ring, base64, under a root key that the backup's key is. */
  readonly ring: string;
}

/** Comes before the first table. */
export interface StoreHead {
  readonly form: StoreForm;
}

export interface FileHead {
  /** Relative to the data folder, with `/`. */
  readonly path: string;
  readonly mode: number;
}

/** Says at the end what was written, so that a writer's own mistake shows as well. */
export interface Totals {
  readonly tables: Readonly<Record<string, TableSum>>;
  readonly files: number;
}
