import type { Migration } from "./index.ts";

/** Deliveries by subscription, groups that keep their order, and the time of giving up. */
export const deliveries: Migration = {
  number: 2,
  name: "deliveries",
  breaking: true,
  sql: `
ALTER TABLE undelivered ADD COLUMN given_up_ms INTEGER;
ALTER TABLE undelivered ADD COLUMN group_id TEXT;
ALTER TABLE undelivered ADD COLUMN sequence INTEGER;
UPDATE undelivered SET given_up_ms = published_ms WHERE next_attempt_ms IS NULL;
DROP INDEX undelivered_by_due;
CREATE INDEX undelivered_by_lane ON undelivered (subscription_arn, next_attempt_ms)
  WHERE next_attempt_ms IS NOT NULL;
CREATE INDEX undelivered_by_order ON undelivered (subscription_arn, group_id, sequence)
  WHERE next_attempt_ms IS NOT NULL AND group_id IS NOT NULL;
CREATE INDEX undelivered_by_group ON undelivered (topic_arn, group_id)
  WHERE next_attempt_ms IS NOT NULL AND group_id IS NOT NULL;
CREATE INDEX undelivered_by_end ON undelivered (given_up_ms) WHERE given_up_ms IS NOT NULL;

-- The last number that a FIFO topic gave to a message.
CREATE TABLE topic_orders (
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  topic_name TEXT NOT NULL,
  last_sequence INTEGER NOT NULL,
  PRIMARY KEY (account_id, region, topic_name)
) STRICT, WITHOUT ROWID;

-- What was published to FIFO topics lately. The digest is keyed: it tells nothing of a body.
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

-- What FIFO topics keep of their messages, sealed, for replays.
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
CREATE INDEX topic_archive_by_time ON topic_archive
  (account_id, region, topic_name, published_ms, sequence);
CREATE INDEX topic_archive_by_data_key ON topic_archive (account_id, region, data_key_id);
`,
};
