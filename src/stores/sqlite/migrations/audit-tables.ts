/** The audit: the event history, and what waits for delivery by trails. */
export const auditTables = `
-- Newest link of each chain: of the history (lane ''), of what waits for a trail (its name).
CREATE TABLE audit_chains (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  lane TEXT NOT NULL,
  number INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (account_id, region, lane)
) STRICT, WITHOUT ROWID;

-- The event history. number is the order of writing, without gaps; hash covers the row and the hash
-- before it. Each lookup attribute has its index.
CREATE TABLE audit_events (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  number INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  event_name TEXT NOT NULL,
  event_source TEXT NOT NULL,
  username TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  read_only INTEGER NOT NULL,
  resources TEXT NOT NULL,
  record TEXT NOT NULL,
  key_version INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (account_id, region, number)
) STRICT;
CREATE INDEX audit_events_by_time ON audit_events (account_id, region, time_ms, number);
CREATE INDEX audit_events_by_id ON audit_events (account_id, region, event_id, time_ms, number);
CREATE INDEX audit_events_by_name ON audit_events
  (account_id, region, event_name, time_ms, number);
CREATE INDEX audit_events_by_source ON audit_events
  (account_id, region, event_source, time_ms, number);
CREATE INDEX audit_events_by_username ON audit_events
  (account_id, region, username, time_ms, number);
CREATE INDEX audit_events_by_access_key ON audit_events
  (account_id, region, access_key_id, time_ms, number);
CREATE INDEX audit_events_by_read_only ON audit_events
  (account_id, region, read_only, time_ms, number);

CREATE TABLE audit_resources (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  number INTEGER NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (account_id, region, name, time_ms, number, type)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_resources_by_type ON audit_resources
  (account_id, region, type, time_ms, number);

-- What became true in one transaction for a trail and a region: records with commas between.
CREATE TABLE trail_batches (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  trail TEXT NOT NULL,
  number INTEGER NOT NULL,
  event_region TEXT NOT NULL,
  oldest_ms INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL,
  records BLOB NOT NULL,
  key_version INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (account_id, region, trail, number)
) STRICT;
`;
