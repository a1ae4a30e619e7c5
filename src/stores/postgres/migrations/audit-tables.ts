/** The audit: chained events, what LookupEvents asks by, and what trails have to deliver. */
export const auditTables = `
CREATE TABLE audit_chains (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  number int8 NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (account_id, region, lane)
);
CREATE TABLE audit_events (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  number int8 NOT NULL,
  time_ms int8 NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  event_name text COLLATE "C" NOT NULL,
  event_source text COLLATE "C" NOT NULL,
  username text COLLATE "C" NOT NULL,
  access_key_id text COLLATE "C" NOT NULL,
  read_only bool NOT NULL,
  resources text NOT NULL,
  record text NOT NULL,
  key_version int8 NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (account_id, region, number)
);
CREATE INDEX audit_events_by_access_key ON audit_events
  (account_id, region, access_key_id, time_ms, number);
CREATE INDEX audit_events_by_id ON audit_events (account_id, region, event_id, time_ms, number);
CREATE INDEX audit_events_by_name ON audit_events
  (account_id, region, event_name, time_ms, number);
CREATE INDEX audit_events_by_read_only ON audit_events
  (account_id, region, read_only, time_ms, number);
CREATE INDEX audit_events_by_source ON audit_events
  (account_id, region, event_source, time_ms, number);
CREATE INDEX audit_events_by_time ON audit_events (account_id, region, time_ms, number);
CREATE INDEX audit_events_by_username ON audit_events
  (account_id, region, username, time_ms, number);
CREATE TABLE audit_resources (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  time_ms int8 NOT NULL,
  number int8 NOT NULL,
  type text COLLATE "C" NOT NULL,
  PRIMARY KEY (account_id, region, name, time_ms, number, type)
);
CREATE INDEX audit_resources_by_type ON audit_resources
  (account_id, region, type, time_ms, number);
CREATE TABLE trail_batches (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  trail text COLLATE "C" NOT NULL,
  number int8 NOT NULL,
  event_region text NOT NULL,
  oldest_ms int8 NOT NULL,
  newest_ms int8 NOT NULL,
  records bytea NOT NULL,
  key_version int8 NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (account_id, region, trail, number)
);
`;
