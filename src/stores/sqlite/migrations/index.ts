import { first } from "./0001-first.ts";
import { deliveries } from "./0002-deliveries.ts";
import { queueNumbers } from "./0003-queue-numbers.ts";
import { sealedUnder } from "./0004-sealed-under.ts";
import { auditSegments } from "./0005-audit-segments.ts";
import { freshMessages } from "./0006-fresh-messages.ts";
import { deduplicationsInOrder } from "./0007-deduplications-in-order.ts";
import { packedRecords } from "./0008-packed-records.ts";
import { sharedBodies } from "./0009-shared-bodies.ts";

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
export const migrations: readonly Migration[] = [
  first,
  deliveries,
  queueNumbers,
  sealedUnder,
  auditSegments,
  freshMessages,
  deduplicationsInOrder,
  packedRecords,
  sharedBodies,
];
