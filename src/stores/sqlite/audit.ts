import type { DatabaseSync } from "node:sqlite";
import type {
  AuditCommand,
  AuditEvent,
  AuditQuery,
  LookupAttribute,
  LookupAuditEvents,
} from "../../services/cloudtrail/store.ts";
import { type Acts, prepare, type Statement } from "./act.ts";
import type { Sequence } from "./sequence.ts";

type Found = AuditEvent & { readonly position: number };
type Row = Omit<Found, "resources" | "readOnly"> & { readonly readOnly: number };
type Resource = AuditEvent["resources"][number];

export function auditActs(
  database: DatabaseSync,
  sequence: Sequence,
): Acts<AuditCommand | AuditQuery> {
  const lookup = createLookup(database);
  const append = createAppend(database, sequence);
  const pruneResources = prepare(
    database,
    `DELETE FROM audit_resources WHERE (account_id, region, time_ms, position) IN (
       SELECT account_id, region, time_ms, position FROM audit_events
        WHERE time_ms < ? ORDER BY time_ms LIMIT ?)`,
  );
  const pruneEvents = prepare(
    database,
    `DELETE FROM audit_events WHERE (account_id, region, time_ms, position) IN (
       SELECT account_id, region, time_ms, position FROM audit_events
        WHERE time_ms < ? ORDER BY time_ms LIMIT ?)`,
  );
  return {
    "audit.append": ({ events }) => {
      for (const event of events) append(event);
      return undefined;
    },
    "audit.prune": ({ beforeMs, rowsMax }) => {
      // Both choose the same rows: the order of the index ends with the primary key.
      pruneResources.run(beforeMs, rowsMax);
      return { removed: pruneEvents.run(beforeMs, rowsMax) };
    },
    "audit.lookup": lookup,
  };
}

function createAppend(database: DatabaseSync, sequence: Sequence): (event: AuditEvent) => void {
  const putEvent = prepare(
    database,
    `INSERT INTO audit_events
       (account_id, region, time_ms, position, event_id, event_name, event_source, username,
        access_key_id, read_only, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const putResource = prepare(database, "INSERT INTO audit_resources VALUES (?, ?, ?, ?, ?, ?, ?)");
  return (event) => {
    const { accountId, region, timeMs } = event;
    const position = sequence.next();
    putEvent.run(
      accountId,
      region,
      timeMs,
      position,
      event.eventId,
      event.eventName,
      event.eventSource,
      event.username,
      event.accessKeyId,
      event.readOnly ? 1 : 0,
      event.record,
    );
    event.resources.forEach(({ type, name }, ordinal) => {
      putResource.run(accountId, region, timeMs, position, ordinal, type, name);
    });
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

/** Each attribute walks its own index backwards from (end, position). */
function lookupSql(attribute: LookupAttribute["name"] | undefined): string {
  const ofResource = attribute === "ResourceType" || attribute === "ResourceName";
  const table = ofResource ? "audit_resources" : "audit_events";
  const condition = attribute === undefined ? "" : `AND ${attributeColumns[attribute]} = ?`;
  return `SELECT ${ofResource ? "DISTINCT" : ""} time_ms AS timeMs, position FROM ${table}
    WHERE account_id = ? AND region = ? ${condition}
      AND time_ms >= ? AND (time_ms, position) < (?, ?)
    ORDER BY time_ms DESC, position DESC LIMIT ?`;
}

function createLookup(database: DatabaseSync): (query: LookupAuditEvents) => readonly Found[] {
  const place = "account_id = ? AND region = ? AND time_ms = ? AND position = ?";
  const event = prepare<Row>(
    database,
    `SELECT account_id AS accountId, region, time_ms AS timeMs, position, event_id AS eventId,
            event_name AS eventName, event_source AS eventSource, username,
            access_key_id AS accessKeyId, read_only AS readOnly, record
       FROM audit_events WHERE ${place}`,
  );
  const resources = prepare<Resource>(
    database,
    `SELECT type, name FROM audit_resources WHERE ${place} ORDER BY ordinal`,
  );
  const searches = new Map<string | undefined, Statement<{ timeMs: number; position: number }>>(
    [undefined, ...(Object.keys(attributeColumns) as LookupAttribute["name"][])].map((name) => [
      name,
      prepare(database, lookupSql(name)),
    ]),
  );

  return ({ accountId, region, attribute, startMs, endMs, limit, after }) => {
    const value = attribute === undefined ? [] : [asColumn(attribute.value)];
    // `endMs` itself is inside: positions are never 2^53 - 1.
    const end = { timeMs: endMs, position: Number.MAX_SAFE_INTEGER };
    const from = after !== undefined && after.timeMs <= endMs ? after : end;
    const places = searches
      .get(attribute?.name)
      ?.all(accountId, region, ...value, startMs, from.timeMs, from.position, limit);
    return (places ?? []).flatMap(({ timeMs, position }) => {
      const row = event.get(accountId, region, timeMs, position);
      if (row === undefined) return [];
      const named = resources.all(accountId, region, timeMs, position);
      return [{ ...row, readOnly: row.readOnly === 1, resources: named }];
    });
  };
}

function asColumn(value: string | boolean): string | number {
  return typeof value === "boolean" ? Number(value) : value;
}
