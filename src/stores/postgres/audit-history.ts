import type {
  ChainedEvent,
  FindPrunable,
  FoundHash,
  ListChainHeads,
  LookupAttribute,
  LookupAuditEvents,
  PruneEvents,
  ReadChain,
} from "../../services/cloudtrail/store.ts";
import { type Acts, each, together } from "./act.ts";
import type { Session } from "./session.ts";

/** Columns of an event in the names of the contract. */
const columns = `account_id AS "accountId", region, number, time_ms AS "timeMs",
  event_id AS "eventId", event_name AS "eventName", event_source AS "eventSource", username,
  access_key_id AS "accessKeyId", read_only AS "readOnly", resources, record,
  key_version AS "keyVersion", hash`;

type EventRow = Omit<ChainedEvent, "resources"> & { readonly resources: string };

const ofChain = "account_id = $1::text AND region = $2::text";

/** The history as a chain: looked up, read through, and its beginning let go. */
export const auditHistoryActs: Acts<
  LookupAuditEvents | ListChainHeads | ReadChain | FindPrunable | PruneEvents
> = {
  "audit.lookup": together(lookup),
  "audit.heads": together(async (work) =>
    work.all(
      `SELECT account_id AS "accountId", region, number, hash FROM audit_chains WHERE lane = ''
        ORDER BY account_id, region`,
    ),
  ),
  "audit.chain": together(async (work, { accountId, region, afterNumber, limit }) => {
    const rows = await work.all<EventRow>(
      `SELECT ${columns} FROM audit_events
        WHERE ${ofChain} AND number > $3::int8 ORDER BY number LIMIT $4::int8`,
      accountId,
      region,
      afterNumber,
      limit,
    );
    return rows.map(eventOf);
  }),
  "audit.prunable": together(findPrunable),
  "audit.prune": each(async (work, { accountId, region, throughNumber, rowsMax }) => {
    const [row] = await work.all<{ removed: number }>(
      `WITH oldest AS MATERIALIZED (
         SELECT number FROM audit_events
          WHERE ${ofChain} AND number <= $3::int8 ORDER BY number LIMIT $4::int8),
       named AS (
         DELETE FROM audit_resources USING (
           SELECT event.number, event.time_ms, resource.value->>1 AS name
             FROM oldest JOIN audit_events AS event ON event.account_id = $1::text
                   AND event.region = $2::text AND event.number = oldest.number
             CROSS JOIN LATERAL jsonb_array_elements(event.resources::jsonb) AS resource(value)
           ) AS gone
          WHERE audit_resources.account_id = $1::text AND audit_resources.region = $2::text
            AND audit_resources.name = gone.name AND audit_resources.time_ms = gone.time_ms
            AND audit_resources.number = gone.number),
       pruned AS (
         DELETE FROM audit_events USING oldest
          WHERE ${ofChain} AND audit_events.number = oldest.number RETURNING 1)
       SELECT count(*) AS removed FROM pruned`,
      accountId,
      region,
      throughNumber,
      rowsMax,
    );
    return { removed: row?.removed ?? 0 };
  }),
};

function eventOf({ resources, ...row }: EventRow): ChainedEvent {
  const named: readonly (readonly [string, string])[] = JSON.parse(resources);
  return { ...row, resources: named.map(([type, name]) => ({ type, name })) };
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
  const type = attribute === "ReadOnly" ? "bool" : "text";
  const condition =
    attribute === undefined
      ? "AND $7::text IS NULL"
      : `AND ${attributeColumns[attribute]} = $7::${type}`;
  return `SELECT ${columns} FROM (
      SELECT ${ofResource ? "DISTINCT" : ""} time_ms AS at_ms, number AS found FROM ${table}
       WHERE ${ofChain} ${condition}
         AND time_ms >= $3::int8 AND (time_ms, number) < ($4::int8, $5::int8)
       ORDER BY at_ms DESC, found DESC LIMIT $6::int8) AS places
    JOIN audit_events ON ${ofChain} AND number = found
    ORDER BY at_ms DESC, found DESC`;
}

async function lookup(
  session: Session,
  { accountId, region, attribute, startMs, endMs, limit, after }: LookupAuditEvents,
) {
  // `endMs` itself is inside: numbers are never 2^53 - 1.
  const end = { timeMs: endMs, number: Number.MAX_SAFE_INTEGER };
  const from = after !== undefined && after.timeMs <= endMs ? after : end;
  const rows = await session.all<EventRow>(
    lookupSql(attribute?.name),
    accountId,
    region,
    startMs,
    from.timeMs,
    from.number,
    limit,
    attribute?.value ?? null,
  );
  return rows.map(eventOf);
}

async function findPrunable(
  session: Session,
  { accountId, region, beforeMs, eventsMax }: FindPrunable,
) {
  const [ends] = await session.all<{ first: number | null; last: number | null }>(
    `SELECT min(number) AS first, max(number) AS last FROM audit_events WHERE ${ofChain}`,
    accountId,
    region,
  );
  const { first = null, last = null } = ends ?? {};
  if (first === null || last === null) return undefined;
  const find = async (number: number) => {
    const [row] = await session.all<FoundHash>(
      `SELECT number, time_ms AS "timeMs", hash FROM audit_events
        WHERE ${ofChain} AND number >= $3::int8 ORDER BY number LIMIT 1`,
      accountId,
      region,
      number,
    );
    return row;
  };
  const old = await lastOlder(first, last, beforeMs, find);
  const through = Math.max(old, last - eventsMax);
  const found = through < first ? undefined : await find(through);
  return found && { first, through: found };
}

/** Times grow with numbers, so the last one before a time is found by halving. */
async function lastOlder(
  first: number,
  last: number,
  beforeMs: number,
  find: (number: number) => Promise<FoundHash | undefined>,
): Promise<number> {
  let low = first - 1;
  let high = last;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = await find(middle);
    if (found !== undefined && found.timeMs < beforeMs) low = Math.min(found.number, high);
    else high = middle - 1;
  }
  return low;
}
