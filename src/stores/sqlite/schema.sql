CREATE TABLE account_versions (
  account_id TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_chains (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  lane TEXT NOT NULL,
  number INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (account_id, region, lane)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE audit_segment_values (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  segment INTEGER NOT NULL,
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  numbers TEXT NOT NULL,
  PRIMARY KEY (account_id, region, segment, attribute, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_segments (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  segment INTEGER NOT NULL,
  oldest_ms INTEGER NOT NULL,
  newest_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, segment)
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  reserved_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE data_keys (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  id TEXT NOT NULL,
  sealing_arn TEXT NOT NULL,
  mode TEXT NOT NULL,
  key_arn TEXT NOT NULL,
  blob BLOB NOT NULL,
  created_ms INTEGER NOT NULL, number INTEGER,
  PRIMARY KEY (account_id, region, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX data_keys_by_age ON data_keys (created_ms);

CREATE UNIQUE INDEX data_keys_by_number ON data_keys (number);

CREATE TABLE deduplications (
  sequence INTEGER PRIMARY KEY,
  history INTEGER NOT NULL,
  digest BLOB NOT NULL,
  message_id TEXT NOT NULL,
  sent_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE discarded_queues (
  queue INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE message_bodies (
  sequence INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  data_key INTEGER NOT NULL REFERENCES data_keys (number),
  sent_ms INTEGER NOT NULL,
  group_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  attributes TEXT NOT NULL,
  system_attributes TEXT NOT NULL,
  dead_letter_source_arn TEXT NOT NULL,
  place_mac BLOB NOT NULL,
  bytes BLOB NOT NULL
, shared INTEGER REFERENCES shared_bodies (number)) STRICT;

CREATE INDEX message_bodies_by_age ON message_bodies (queue, sent_ms);

CREATE INDEX message_bodies_by_data_key ON message_bodies (data_key, queue, sent_ms);

CREATE INDEX message_bodies_by_shared ON message_bodies (shared) WHERE shared IS NOT NULL;

CREATE TRIGGER shared_body_goes AFTER DELETE ON message_bodies WHEN old.shared IS NOT NULL BEGIN
  DELETE FROM shared_bodies WHERE number = old.shared
     AND NOT EXISTS (SELECT 1 FROM message_bodies WHERE shared = old.shared);
END;

CREATE TABLE message_groups (
  queue INTEGER NOT NULL,
  group_id TEXT NOT NULL,
  head_sequence INTEGER NOT NULL,
  tail_sequence INTEGER NOT NULL,
  ready_at_ms INTEGER NOT NULL,
  PRIMARY KEY (queue, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_groups_by_readiness ON message_groups (queue, ready_at_ms, head_sequence);

CREATE TABLE message_links (
  sequence INTEGER PRIMARY KEY,
  next_sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE message_states (
  sequence INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL,
  -- 0: standard queue, no group. 1: standard queue with a group (a tenant). 2: FIFO queue.
  lane INTEGER NOT NULL,
  group_id TEXT NOT NULL,
  visible_at_ms INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL,
  receive_count INTEGER NOT NULL,
  first_received_ms INTEGER NOT NULL,
  claim_id TEXT NOT NULL,
  claimed_ms INTEGER NOT NULL,
  claim_counted INTEGER NOT NULL,
  previous_claim_id TEXT NOT NULL,
  size_bytes INTEGER NOT NULL
) STRICT;

CREATE INDEX message_states_by_tenant ON message_states
  (queue, group_id, visible_at_ms, sequence, sent_ms) WHERE lane = 1;

CREATE INDEX message_states_by_visibility ON message_states
  (queue, lane, visible_at_ms, sequence, sent_ms, receive_count);

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE moved_counts (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  task_id TEXT NOT NULL,
  moved INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_numbers (
  number INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  queue_id TEXT NOT NULL, fresh_sent_ms INTEGER NOT NULL DEFAULT 0, fresh_sequence INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, region, queue_id)
) STRICT;

CREATE TABLE receive_attempts (
  queue INTEGER NOT NULL,
  attempt_id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  claimed_ms INTEGER NOT NULL,
  visible_at_ms INTEGER NOT NULL,
  sequences TEXT NOT NULL,
  PRIMARY KEY (queue, attempt_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX receive_attempts_by_age ON receive_attempts (claimed_ms);

CREATE TABLE records (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (account_id, region, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE schema_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  breaking INTEGER NOT NULL
) STRICT;

CREATE TABLE shared_bodies (
  number INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE spent_messages (
  sequence INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL
) STRICT;

CREATE TABLE topic_archive (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  topic_name TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  data_key_id TEXT NOT NULL,
  bytes BLOB NOT NULL,
  metadata TEXT NOT NULL,
  published_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, topic_name, sequence),
  FOREIGN KEY (account_id, region, data_key_id) REFERENCES data_keys (account_id, region, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX topic_archive_by_data_key ON topic_archive (account_id, region, data_key_id);

CREATE INDEX topic_archive_by_time ON topic_archive
  (account_id, region, topic_name, published_ms, sequence);

CREATE TABLE topic_deduplications (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  topic_name TEXT NOT NULL,
  digest BLOB NOT NULL,
  message_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, topic_name, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX topic_deduplications_by_age ON topic_deduplications (sent_ms);

CREATE TABLE topic_orders (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  topic_name TEXT NOT NULL,
  last_sequence INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, topic_name)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE undelivered (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  subscription_arn TEXT NOT NULL,
  message_id TEXT NOT NULL,
  topic_arn TEXT NOT NULL,
  data_key_id TEXT NOT NULL,
  bytes BLOB NOT NULL,
  metadata TEXT NOT NULL,
  published_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_ms INTEGER,
  failure_code TEXT NOT NULL,
  failure_text TEXT NOT NULL, given_up_ms INTEGER, group_id TEXT, sequence INTEGER,
  PRIMARY KEY (account_id, region, subscription_arn, message_id),
  FOREIGN KEY (account_id, region, data_key_id) REFERENCES data_keys (account_id, region, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX undelivered_by_account ON undelivered (account_id, published_ms);

CREATE INDEX undelivered_by_age ON undelivered (published_ms, next_attempt_ms);

CREATE INDEX undelivered_by_data_key ON undelivered (account_id, region, data_key_id);

CREATE INDEX undelivered_by_end ON undelivered (given_up_ms) WHERE given_up_ms IS NOT NULL;

CREATE INDEX undelivered_by_group ON undelivered (topic_arn, group_id)
  WHERE next_attempt_ms IS NOT NULL AND group_id IS NOT NULL;

CREATE INDEX undelivered_by_lane ON undelivered (subscription_arn, next_attempt_ms)
  WHERE next_attempt_ms IS NOT NULL;

CREATE INDEX undelivered_by_order ON undelivered (subscription_arn, group_id, sequence)
  WHERE next_attempt_ms IS NOT NULL AND group_id IS NOT NULL;

CREATE INDEX undelivered_by_subscription ON undelivered (subscription_arn, published_ms);

CREATE INDEX undelivered_by_topic ON undelivered (account_id, topic_arn, published_ms);
