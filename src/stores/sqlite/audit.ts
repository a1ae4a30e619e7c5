import type { DatabaseSync } from "node:sqlite";
import { historyFacts } from "../../crypto/chain.ts";
import type {
  AppendEvents,
  AuditEvent,
  ChainedEvent,
  HistoryFacts,
  LookupAttribute,
  LookupAuditEvents,
  UnlockAudit,
} from "../../services/cloudtrail/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import type { Chains } from "./audit-chain.ts";
import type { Outbox } from "./trail-outbox.ts";

/** Writing of events, and the questions of LookupEvents. */
export function auditActs(
  database: DatabaseSync,
  chains: Chains,
  outbox: Pick<Outbox, "add">,
): Acts<UnlockAudit | AppendEvents | LookupAuditEvents> {
  const append = createAppend(database, chains);
  return {
    "audit.unlock": ({ version, key }) => {
      chains.unlock({ version, key });
      return undefined;
    },
    "audit.append": ({ events }) => {
      for (const event of events) {
        if (event.history !== undefined) append(event, event.history);
        outbox.add(event);
      }
      return undefined;
    },
    "audit.lookup": createLookup(database),
  };
}

type Append = (event: AuditEvent, facts: HistoryFacts) => void;

function createAppend(database: DatabaseSync, chains: Chains): Append {
  // A row that is there already lies beyond the head, so somebody else wrote it: it is no event.
  const putEvent = prepare(
    database,
    "INSERT OR REPLACE INTO audit_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const putResource = prepare(
    database,
    "INSERT INTO audit_resources VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  return ({ accountId, region, timeMs, record }, facts) => {
    const lane = { accountId, region, lane: "" };
    const linked = historyFacts({ timeMs, ...facts });
    const { number, hash, keyVersion } = chains.link(lane, linked, record);
    putEvent.run(
      accountId,
      region,
      number,
      timeMs,
      facts.eventId,
      facts.eventName,
      facts.eventSource,
      facts.username,
      facts.accessKeyId,
      facts.readOnly ? 1 : 0,
      JSON.stringify(facts.resources.map(({ type, name }) => [type, name])),
      textOf(record),
      keyVersion,
      hash,
    );
    for (const { type, name } of facts.resources) {
      putResource.run(accountId, region, name, timeMs, number, type);
    }
  };
}

function textOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString();
}

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

const attributeColumns: Readonly<Record<LookupAttribute["name"], string>> = {
  EventId: "event_id",
  EventName: "event_name",
  Username: "username",
  EventSource: "event_source",
  AccessKeyId: "access_key_id",
  ReadOnly: "read_only",
  ResourceType: "type",
  ResourceName: "name",
};

/** Each attribute walks its own index backwards from (end, number). */
function lookupSql(attribute: LookupAttribute["name"] | undefined): string {
  const ofResource = attribute === "ResourceType" || attribute === "ResourceName";
  const table = ofResource ? "audit_resources" : "audit_events";
  const condition = attribute === undefined ? "" : `AND ${attributeColumns[attribute]} = ?`;
  return `SELECT ${ofResource ? "DISTINCT" : ""} number FROM ${table}
    WHERE account_id = ? AND region = ? ${condition}
      AND time_ms >= ? AND (time_ms, number) < (?, ?)
    ORDER BY time_ms DESC, number DESC LIMIT ?`;
}

function createLookup(database: DatabaseSync): Acts<LookupAuditEvents>["audit.lookup"] {
  const event = prepare<EventRow>(
    database,
    `SELECT ${eventColumns} FROM audit_events WHERE account_id = ? AND region = ? AND number = ?`,
  );
  const searches = new Map<string | undefined, Statement<{ number: number }>>(
    [undefined, ...(Object.keys(attributeColumns) as LookupAttribute["name"][])].map((name) => [
      name,
      prepare(database, lookupSql(name)),
    ]),
  );

  return ({ accountId, region, attribute, startMs, endMs, limit, after }) => {
    const value = attribute === undefined ? [] : [asColumn(attribute.value)];
    // `endMs` itself is inside: numbers are never 2^53 - 1.
    const end = { timeMs: endMs, number: Number.MAX_SAFE_INTEGER };
    const from = after !== undefined && after.timeMs <= endMs ? after : end;
    const places = searches
      .get(attribute?.name)
      ?.all(accountId, region, ...value, startMs, from.timeMs, from.number, limit);
    return (places ?? []).flatMap(({ number }) => {
      const row = event.get(accountId, region, number);
      return row === undefined ? [] : [eventOf(row)];
    });
  };
}

function asColumn(value: string | boolean): string | number {
  return typeof value === "boolean" ? Number(value) : value;
}
