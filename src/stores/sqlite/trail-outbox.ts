import type { DatabaseSync } from "node:sqlite";
import { waitingFacts } from "../../crypto/chain.ts";
import type { AuditEvent } from "../../services/cloudtrail/store.ts";
import { waitingBatches } from "../../services/cloudtrail/store-batches.ts";
import { prepare } from "./act.ts";
import type { Chains } from "./audit-chain.ts";

/**
 * What trails will deliver. Events of one transaction are one row and one link of the chain for
 * each trail and region: under load that is a small part of what each event alone would cost.
 */
export interface Outbox {
  add(event: AuditEvent): void;
  /** Writes what was added. Call before the transaction ends, and before anybody reads. */
  flush(): void;
  /** Something was rolled back: what was added since the last flush never was. */
  reload(): void;
}

export function createOutbox(database: DatabaseSync, chains: Chains): Outbox {
  // A row that is there already lies beyond the head, so somebody else wrote it.
  const put = prepare(
    database,
    "INSERT OR REPLACE INTO trail_batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  let added: AuditEvent[] = [];
  return {
    add(event) {
      if (event.trails.length > 0) added.push(event);
    },
    flush() {
      if (added.length === 0) return;
      for (const batch of waitingBatches(added)) {
        const { accountId, region, lane, eventRegion, oldestMs, newestMs, records } = batch;
        const { number, hash, keyVersion } = chains.link(batch, waitingFacts(batch), records);
        const place = [accountId, region, lane, number];
        put.run(...place, eventRegion, oldestMs, newestMs, records, keyVersion, hash);
      }
      added = [];
    },
    reload() {
      added = [];
    },
  };
}
