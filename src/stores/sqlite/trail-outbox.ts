import type { DatabaseSync } from "node:sqlite";
import { waitingFacts } from "../../crypto/chain.ts";
import type { AuditEvent } from "../../services/cloudtrail/store.ts";
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

interface Batch {
  readonly accountId: string;
  readonly region: string;
  readonly lane: string;
  readonly eventRegion: string;
  oldestMs: number;
  newestMs: number;
  bytes: number;
  readonly records: Uint8Array[];
}

/** A row is read as a whole, and a file is made of whole rows. */
const batchBytesMax = 1024 * 1024;

const comma = Buffer.from(",");

export function createOutbox(database: DatabaseSync, chains: Chains): Outbox {
  // A row that is there already lies beyond the head, so somebody else wrote it.
  const put = prepare(
    database,
    "INSERT OR REPLACE INTO trail_batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const open = new Map<string, Batch>();

  function write(batch: Batch): void {
    const { accountId, region, lane, eventRegion, oldestMs, newestMs } = batch;
    const records = joined(batch);
    const { number, hash, keyVersion } = chains.link(batch, waitingFacts(batch), records);
    put.run(
      accountId,
      region,
      lane,
      number,
      eventRegion,
      oldestMs,
      newestMs,
      records,
      keyVersion,
      hash,
    );
  }

  return {
    add({ accountId, region: eventRegion, timeMs, record, trails }) {
      for (const { name: lane, region } of trails) {
        const name = `${accountId}/${region}/${lane}/${eventRegion}`;
        let batch = open.get(name);
        if (batch !== undefined && batch.bytes + record.length > batchBytesMax) {
          write(batch);
          batch = undefined;
        }
        if (batch === undefined) {
          const times = { oldestMs: timeMs, newestMs: timeMs };
          batch = { accountId, region, lane, eventRegion, ...times, bytes: 0, records: [] };
          open.set(name, batch);
        }
        batch.records.push(record);
        batch.bytes += record.length + comma.length;
        batch.oldestMs = Math.min(batch.oldestMs, timeMs);
        batch.newestMs = Math.max(batch.newestMs, timeMs);
      }
    },
    flush() {
      if (open.size === 0) return;
      for (const batch of open.values()) write(batch);
      open.clear();
    },
    reload() {
      open.clear();
    },
  };
}

function joined({ records, bytes }: Batch): Uint8Array {
  const all = Buffer.allocUnsafe(bytes - comma.length);
  let at = 0;
  for (const record of records) {
    if (at > 0) {
      all.set(comma, at);
      at += comma.length;
    }
    all.set(record, at);
    at += record.length;
  }
  return all;
}
