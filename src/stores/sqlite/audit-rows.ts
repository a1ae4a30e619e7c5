import type { ChainedEvent } from "../../services/cloudtrail/store.ts";

/** Columns of an event in the names of the contract. */
export const eventColumns = `account_id AS accountId, region, number, time_ms AS timeMs,
  event_id AS eventId, event_name AS eventName, event_source AS eventSource, username,
  access_key_id AS accessKeyId, read_only AS readOnly, resources, record,
  key_version AS keyVersion, hash`;

export type EventRow = Omit<ChainedEvent, "resources" | "readOnly"> & {
  readonly readOnly: number;
  readonly resources: string;
};

export function eventOf({ resources, readOnly, ...row }: EventRow): ChainedEvent {
  const named: readonly (readonly [string, string])[] = JSON.parse(resources);
  return {
    ...row,
    readOnly: readOnly === 1,
    resources: named.map(([type, name]) => ({ type, name })),
  };
}
