import { first } from "./0001-first.ts";
import { packedRecords } from "./0002-packed-records.ts";
import { sharedBodies } from "./0003-shared-bodies.ts";

/**
 * A step of the schema, forward only and never edited once released. SQL lives in `.ts` because the
 * compiler copies no other files into the package.
 */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Code that does not know this step must not open the store. */
  readonly breaking: boolean;
  readonly sql: string;
}

/** In order, numbered from 1 without gaps. */
export const migrations: readonly Migration[] = [first, packedRecords, sharedBodies];
