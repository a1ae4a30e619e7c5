import type { DatabaseSync } from "node:sqlite";
import type { LookupAttribute, LookupAuditEvents } from "../../services/cloudtrail/store.ts";
import { type Acts, prepare } from "./act.ts";
import { type EventRow, eventColumns, eventOf } from "./audit-rows.ts";
import { indexSegments, segmentEvents } from "./migrations/0005-audit-segments.ts";

/** Call for each event that was written: the one that fills a segment has it indexed. */
export function createIndexSegment(
  database: DatabaseSync,
): (accountId: string, region: string, number: number) => void {
  const statements = indexSegments(
    "account_id = ? AND region = ? AND number > ? AND number <= ?",
  ).map((sql) => prepare(database, sql));
  return (accountId, region, number) => {
    if (number % segmentEvents !== 0) return;
    for (const statement of statements) {
      statement.run(accountId, region, number - segmentEvents, number);
    }
  };
}

/** Where an event stands in the order of answers. */
interface Place {
  readonly number: number;
  readonly timeMs: number;
}

interface Segment {
  readonly segment: number;
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** Finds events in segments, which lie one after another, and in what follows the last of them. */
interface Search {
  /** Segments with an event in the time asked for, the latest first. */
  segments(asked: LookupAuditEvents): readonly Segment[];
  within(asked: LookupAuditEvents, segment: Segment): readonly Place[];
  afterLast(asked: LookupAuditEvents): readonly Place[];
}

export function createLookup(database: DatabaseSync): Acts<LookupAuditEvents>["audit.lookup"] {
  const search = createSearch(database);
  const event = prepare<EventRow>(
    database,
    `SELECT ${eventColumns} FROM audit_events WHERE account_id = ? AND region = ? AND number = ?`,
  );
  return (asked) =>
    newestPlaces(search, asked).flatMap(({ number }) => {
      const row = event.get(asked.accountId, asked.region, number);
      return row === undefined ? [] : [eventOf(row)];
    });
}

/**
 * Segments follow the order of writing, answers that of time: where clocks disagreed, a segment may
 * hold what is later than something in the next one. So each segment is looked into that could.
 */
function newestPlaces(search: Search, asked: LookupAuditEvents): readonly Place[] {
  const { limit, after } = asked;
  const isNext = (place: Place) => after === undefined || isEarlier(place, after);
  const found = search.afterLast(asked).filter(isNext);
  for (const segment of search.segments(asked)) {
    if (found.filter(({ timeMs }) => timeMs > segment.newestMs).length >= limit) break;
    found.push(...search.within(asked, segment).filter(isNext));
  }
  found.sort((left, right) => right.timeMs - left.timeMs || right.number - left.number);
  return found.slice(0, limit);
}

function isEarlier(place: Place, other: Place): boolean {
  if (place.timeMs !== other.timeMs) return place.timeMs < other.timeMs;
  return place.number < other.number;
}

function createSearch(database: DatabaseSync): Search {
  const inTime = "time_ms BETWEEN ? AND ?";
  const spans = prepare<Segment>(
    database,
    `SELECT segment, oldest_ms AS oldestMs, newest_ms AS newestMs FROM audit_segments
      WHERE account_id = ? AND region = ? AND newest_ms >= ? AND oldest_ms <= ?
      ORDER BY newest_ms DESC`,
  );
  const whole = prepare<Place>(
    database,
    `SELECT number, time_ms AS timeMs FROM audit_events
      WHERE account_id = ? AND region = ? AND number > ? AND number <= ? AND ${inTime}`,
  );
  const carrying = prepare<Place>(
    database,
    // CROSS: SQLite takes the tables in this order, which it would not choose by itself.
    `SELECT DISTINCT number, time_ms AS timeMs
      FROM audit_segment_values AS listed CROSS JOIN json_each(listed.numbers) AS at
        CROSS JOIN audit_events AS event
      WHERE listed.account_id = ?1 AND listed.region = ?2 AND segment = ?3
        AND attribute = ?4 AND listed.value = ?5
        AND event.account_id = ?1 AND event.region = ?2 AND number = at.value
        AND time_ms BETWEEN ?6 AND ?7`,
  );
  const withId = prepare<Place>(
    database,
    `SELECT number, time_ms AS timeMs FROM audit_events
      WHERE account_id = ? AND region = ? AND number > ? AND number <= ? AND event_id = ?
        AND ${inTime}`,
  );
  const last = prepare<{ last: number | null }>(
    database,
    "SELECT max(segment) AS last FROM audit_segments WHERE account_id = ? AND region = ?",
  );
  const following = prepare<EventRow>(
    database,
    `SELECT ${eventColumns} FROM audit_events
      WHERE account_id = ? AND region = ? AND number > ? AND ${inTime}`,
  );
  return {
    segments: ({ accountId, region, startMs, endMs, after }) =>
      spans.all(accountId, region, startMs, Math.min(endMs, after?.timeMs ?? endMs)),
    within({ accountId, region, attribute, startMs, endMs }, { segment, oldestMs, newestMs }) {
      const first = segment * segmentEvents;
      const place = [accountId, region, first, first + segmentEvents] as const;
      if (attribute === undefined) return whole.all(...place, startMs, endMs);
      const { name, value } = attribute;
      if (name === "EventId") {
        const timeMs = timeOfEventId(value);
        if (timeMs >= oldestMs && timeMs <= newestMs)
          return withId.all(...place, value, startMs, endMs);
      }
      return carrying.all(accountId, region, segment, name, asText(value), startMs, endMs);
    },
    afterLast({ accountId, region, attribute, startMs, endMs }) {
      const indexed = ((last.get(accountId, region)?.last ?? -1) + 1) * segmentEvents;
      const rows = following.all(accountId, region, indexed, startMs, endMs);
      return attribute === undefined ? rows : rows.filter((row) => carries(row, attribute));
    },
  };
}

/** What an id begins with, if it does; some number if it does not. */
function timeOfEventId(eventId: string): number {
  return Number.parseInt(eventId.slice(0, 13).replace("-", ""), 16);
}

/** As the statements of the migration keep it. */
function asText(value: string | boolean): string {
  return typeof value === "boolean" ? String(Number(value)) : value;
}

function carries(row: EventRow, { name, value }: LookupAttribute): boolean {
  switch (name) {
    case "EventId":
      return row.eventId === value;
    case "EventName":
      return row.eventName === value;
    case "EventSource":
      return row.eventSource === value;
    case "Username":
      return row.username === value;
    case "AccessKeyId":
      return row.accessKeyId === value;
    case "ReadOnly":
      return (row.readOnly === 1) === value;
    case "ResourceType":
      return eventOf(row).resources.some(({ type }) => type === value);
    case "ResourceName":
      return eventOf(row).resources.some((resource) => resource.name === value);
  }
}
