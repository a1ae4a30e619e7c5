import { recordKind } from "../../kernel/records.ts";
import type { Selectors } from "./selectors.ts";

/** A trail as its owner configured it; id: `region/name`. */
export interface TrailRecord {
  readonly name: string;
  readonly homeRegion: string;
  readonly bucket: string;
  /** Files go to the bucket behind the S3 endpoint; else to the data folder. */
  readonly remote: boolean;
  /** Without a slash at its end. */
  readonly prefix?: string | undefined;
  readonly topic?: { readonly name: string; readonly arn: string } | undefined;
  readonly includeGlobal: boolean;
  readonly multiRegion: boolean;
  /** Digests are made. */
  readonly validation: boolean;
  readonly kmsKeyArn?: string | undefined;
  readonly createdMs: number;
  readonly logging: boolean;
  readonly startedMs?: number | undefined;
  readonly stoppedMs?: number | undefined;
  /** undefined: as a new trail has them. */
  readonly selectors?: Selectors | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** One listing finds all trails of an account: they select events of every region. */
export const trailRecords = recordKind<TrailRecord>("cloudtrail.trail", "global");

export function trailId(region: string, name: string): string {
  return `${region}/${name}`;
}
