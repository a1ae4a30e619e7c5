import type { Migration } from "./index.ts";

/** Events in a segment. INVARIANT: never changed; stored numbers of segments rely on it. */
export const segmentEvents = 1024;

const segment = `(number - 1) / ${segmentEvents}`;

/**
 * Ids of events begin with their time and are found by it; a statement lists only those that do
 * not.
 */
const eventIdHasTime = "replace(substr(event_id, 1, 13), '-', '') = printf('%012x', time_ms)";

const eventColumns = {
  EventName: "event_name",
  EventSource: "event_source",
  Username: "username",
  AccessKeyId: "access_key_id",
  ReadOnly: "read_only",
} as const;

/**
 * Statements that index the events for which `where` holds, which are whole segments. Events that
 * are alike but for time and resources are gathered first: a busy segment holds few kinds.
 */
export function indexSegments(where: string): readonly string[] {
  const columns = Object.values(eventColumns).join(", ");
  const place = `account_id, region, ${segment} AS segment`;
  const listed = (named: string) => `INSERT OR REPLACE INTO audit_segment_values
  SELECT account_id, region, segment, attribute, value, '[' || group_concat(numbers) || ']'
    FROM (${named}) GROUP BY account_id, region, segment, attribute, value`;
  const each = (from: string, values: Readonly<Record<string, string>>) =>
    Object.entries(values)
      .map(
        ([attribute, value]) =>
          `SELECT account_id, region, segment, numbers, '${attribute}' AS attribute,
            CAST(${value} AS TEXT) AS value FROM ${from}`,
      )
      .join(" UNION ALL ");
  return [
    `INSERT OR REPLACE INTO audit_segments
  SELECT account_id, region, ${segment}, min(time_ms), max(time_ms)
    FROM audit_events WHERE ${where} GROUP BY account_id, region, ${segment}`,
    listed(`WITH alike AS MATERIALIZED (
    SELECT ${place}, ${columns}, group_concat(number) AS numbers FROM audit_events
      WHERE ${where} GROUP BY account_id, region, segment, ${columns})
    ${each("alike", eventColumns)}`),
    listed(`SELECT ${place}, number AS numbers, 'EventId' AS attribute, event_id AS value
      FROM audit_events WHERE ${where} AND NOT ${eventIdHasTime}`),
    // What somebody else wrote into a row must not stop the events that follow it.
    listed(`WITH alike AS MATERIALIZED (
    SELECT ${place}, iif(json_valid(resources), resources, '[]') AS resources,
        group_concat(number) AS numbers
      FROM audit_events WHERE ${where} GROUP BY account_id, region, segment, resources),
    named AS MATERIALIZED (SELECT account_id, region, segment, numbers,
        each.value ->> 0 AS type, each.value ->> 1 AS name
      FROM alike, json_each(resources) AS each WHERE each.type = 'array')
    ${each("named", { ResourceType: "coalesce(type, '')", ResourceName: "coalesce(name, '')" })}`),
  ];
}

/** Of events that are there already. */
const indexFullSegments: readonly string[] = indexSegments(`number <= (
    SELECT max(number) / ${segmentEvents} * ${segmentEvents} FROM audit_events AS other
      WHERE other.account_id = audit_events.account_id AND other.region = audit_events.region)`);

/**
 * The event history is indexed a segment at a time. Eight indexes that each event was put into cost
 * more than the event itself, and one of them a page for every KMS key in use.
 */
export const auditSegments: Migration = {
  number: 5,
  name: "audit-segments",
  breaking: true,
  sql: `
DROP TABLE audit_resources;
DROP INDEX audit_events_by_time;
DROP INDEX audit_events_by_id;
DROP INDEX audit_events_by_name;
DROP INDEX audit_events_by_source;
DROP INDEX audit_events_by_username;
DROP INDEX audit_events_by_access_key;
DROP INDEX audit_events_by_read_only;

-- Segments of the event history that are full: numbers 1 to 1024 are segment 0, and so on. Newer
-- events are found by looking at them all.
CREATE TABLE audit_segments (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  segment INTEGER NOT NULL,
  oldest_ms INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, segment)
) STRICT, WITHOUT ROWID;

-- Which events of a segment carry a value of a lookup attribute: their numbers, a JSON array, a
-- number twice where two resources do. Ids of events that begin with their time are not listed.
CREATE TABLE audit_segment_values (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  segment INTEGER NOT NULL,
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  numbers TEXT NOT NULL,
  PRIMARY KEY (account_id, region, segment, attribute, value)
) STRICT, WITHOUT ROWID;

${indexFullSegments.join(";\n")};
`,
};
