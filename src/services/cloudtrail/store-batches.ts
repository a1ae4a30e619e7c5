import type { AuditEvent, WaitingBatch } from "./store.ts";

/** A batch before it has its place in the trail's chain. */
export interface NewBatch extends Omit<WaitingBatch, "number" | "keyVersion" | "hash"> {
  readonly accountId: string;
  /** Home region of the trail. */
  readonly region: string;
  /** Name of the trail. */
  readonly lane: string;
}

/** A row is read as a whole, and a file is made of whole rows. */
const batchBytesMax = 1024 * 1024;

interface Open extends Omit<NewBatch, "records"> {
  oldestMs: number;
  newestMs: number;
  bytes: number;
  readonly parts: Uint8Array[];
}

/**
 * What became true together, as trails will deliver it: a batch for each trail and region of the
 * events, more where one would be larger than a megabyte. In order for each trail and region.
 */
export function waitingBatches(events: readonly AuditEvent[]): readonly NewBatch[] {
  const open = new Map<string, Open>();
  const all: Open[] = [];
  for (const { accountId, region: eventRegion, timeMs, record, trails } of events) {
    for (const { name: lane, region } of trails) {
      const name = `${accountId}/${region}/${lane}/${eventRegion}`;
      let batch = open.get(name);
      if (batch === undefined || batch.bytes + record.length > batchBytesMax) {
        const times = { oldestMs: timeMs, newestMs: timeMs };
        batch = { accountId, region, lane, eventRegion, ...times, bytes: 0, parts: [] };
        open.set(name, batch);
        all.push(batch);
      }
      batch.parts.push(record);
      batch.bytes += record.length + comma.length;
      batch.oldestMs = Math.min(batch.oldestMs, timeMs);
      batch.newestMs = Math.max(batch.newestMs, timeMs);
    }
  }
  return all.map(({ bytes, parts, ...batch }) => ({ ...batch, records: joined(parts, bytes) }));
}

const comma = Buffer.from(",");

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = Buffer.allocUnsafe(bytes - comma.length);
  let at = 0;
  for (const part of parts) {
    if (at > 0) {
      all.set(comma, at);
      at += comma.length;
    }
    all.set(part, at);
    at += part.length;
  }
  return all;
}
