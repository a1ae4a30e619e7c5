import { RecordPacker } from "./packed-records.ts";
import type { AuditEvent, RecordParts, WaitingBatch } from "./store.ts";

/** A batch before it has its place in the trail's chain. */
export interface NewBatch extends Omit<WaitingBatch, "number" | "keyVersion" | "hash"> {
  readonly accountId: string;
  /** Home region of the trail. */
  readonly region: string;
  /** Name of the trail. */
  readonly lane: string;
}

/** Of text: a file is made of whole batches. */
const batchBytesMax = 1024 * 1024;

interface Open extends Omit<NewBatch, "records"> {
  oldestMs: number;
  newestMs: number;
  readonly packer: RecordPacker;
}

/**
 * What became true together, as trails will deliver it: a batch for each trail and region of the
 * events, more where one would be larger than a megabyte. In order for each trail and region.
 */
export function waitingBatches(events: readonly AuditEvent[]): readonly NewBatch[] {
  const open = new Map<string, Open>();
  const all: Open[] = [];
  for (const { accountId, region: eventRegion, timeMs, record, trails } of events) {
    const bytes = bytesOf(record);
    for (const { name: lane, region } of trails) {
      const name = `${accountId}/${region}/${lane}/${eventRegion}`;
      let batch = open.get(name);
      if (batch === undefined || batch.packer.textBytes + bytes >= batchBytesMax) {
        const times = { oldestMs: timeMs, newestMs: timeMs };
        const packer = new RecordPacker();
        batch = { accountId, region, lane, eventRegion, ...times, packer };
        open.set(name, batch);
        all.push(batch);
      }
      batch.packer.add(record, bytes);
      batch.oldestMs = Math.min(batch.oldestMs, timeMs);
      batch.newestMs = Math.max(batch.newestMs, timeMs);
    }
  }
  return all.map(({ packer, ...batch }) => ({ ...batch, records: packer.packed() }));
}

function bytesOf(record: RecordParts): number {
  let bytes = 0;
  for (const part of record) bytes += Buffer.byteLength(part);
  return bytes;
}
