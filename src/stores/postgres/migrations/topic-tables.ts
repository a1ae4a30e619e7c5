/** What SNS keeps: notifications that wait, and order, duplicates and archive of FIFO topics. */
export const topicTables = `
CREATE TABLE undelivered (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  subscription_arn text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  topic_arn text COLLATE "C" NOT NULL,
  data_key_id text COLLATE "C" NOT NULL,
  bytes bytea NOT NULL,
  metadata text NOT NULL,
  published_ms int8 NOT NULL,
  attempts int4 NOT NULL,
  next_attempt_ms int8,
  given_up_ms int8,
  group_id text COLLATE "C",
  sequence int8,
  failure_code text NOT NULL,
  failure_text text NOT NULL,
  PRIMARY KEY (account_id, region, subscription_arn, message_id),
  FOREIGN KEY (account_id, region, data_key_id) REFERENCES data_keys (account_id, region, id)
);
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
CREATE TABLE topic_orders (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  topic_name text COLLATE "C" NOT NULL,
  last_sequence int8 NOT NULL,
  PRIMARY KEY (account_id, region, topic_name)
);
CREATE TABLE topic_deduplications (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  topic_name text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  message_id text NOT NULL,
  sequence int8 NOT NULL,
  sent_ms int8 NOT NULL,
  PRIMARY KEY (account_id, region, topic_name, digest)
);
CREATE INDEX topic_deduplications_by_age ON topic_deduplications (sent_ms);
CREATE TABLE topic_archive (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  topic_name text COLLATE "C" NOT NULL,
  sequence int8 NOT NULL,
  message_id text NOT NULL,
  data_key_id text COLLATE "C" NOT NULL,
  bytes bytea NOT NULL,
  metadata text NOT NULL,
  published_ms int8 NOT NULL,
  PRIMARY KEY (account_id, region, topic_name, sequence),
  FOREIGN KEY (account_id, region, data_key_id) REFERENCES data_keys (account_id, region, id)
);
CREATE INDEX topic_archive_by_data_key ON topic_archive (account_id, region, data_key_id);
CREATE INDEX topic_archive_by_time ON topic_archive
  (account_id, region, topic_name, published_ms, sequence);
`;
