/**
 * A queue's life has a number, so that rows and indexes are narrow. What a claim changes is a narrow
 * row of its own: the body beside it is written once. Bodies are ciphertext: compressing them is in
 * vain. Rows come and go all day, so dead ones are cleared early.
 */
export const queueTables = `
CREATE TABLE queues (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  queue_id text COLLATE "C" NOT NULL,
  number int8 GENERATED ALWAYS AS IDENTITY,
  discarded bool NOT NULL DEFAULT false,
  PRIMARY KEY (account_id, region, queue_id)
);
CREATE UNIQUE INDEX queues_by_number ON queues (number);
CREATE INDEX queues_discarded ON queues (number) WHERE discarded;
CREATE SEQUENCE message_sequence;
CREATE TABLE messages (
  queue int8 NOT NULL,
  sequence int8 NOT NULL,
  lane int2 NOT NULL,
  receive_count int4 NOT NULL DEFAULT 0,
  visible_at_ms int8 NOT NULL,
  sent_ms int8 NOT NULL,
  first_received_ms int8 NOT NULL DEFAULT 0,
  claimed_ms int8 NOT NULL DEFAULT 0,
  claim_counted bool NOT NULL DEFAULT false,
  group_id text COLLATE "C" NOT NULL,
  claim_id text COLLATE "C" NOT NULL DEFAULT '',
  previous_claim_id text COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (queue, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX messages_by_visibility ON messages (queue, lane, visible_at_ms, sequence);
CREATE INDEX messages_by_order ON messages (queue, group_id, sequence) WHERE lane = 2;
CREATE INDEX messages_by_tenant ON messages (queue, group_id, visible_at_ms, sequence)
  WHERE lane = 1;
CREATE TABLE message_bodies (
  queue int8 NOT NULL,
  sequence int8 NOT NULL,
  sent_ms int8 NOT NULL,
  size_bytes int4 NOT NULL,
  message_id text NOT NULL,
  data_key_id text COLLATE "C" NOT NULL,
  sender_id text NOT NULL,
  attributes text NOT NULL,
  system_attributes text NOT NULL,
  dead_letter_source_arn text NOT NULL DEFAULT '',
  place_mac bytea NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (queue, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE message_bodies ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX message_bodies_by_age ON message_bodies (queue, sent_ms);
CREATE INDEX message_bodies_by_data_key ON message_bodies (data_key_id);
CREATE TABLE message_groups (
  queue int8 NOT NULL,
  group_id text COLLATE "C" NOT NULL,
  head_sequence int8 NOT NULL,
  ready_at_ms int8 NOT NULL,
  PRIMARY KEY (queue, group_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX message_groups_by_readiness ON message_groups (queue, ready_at_ms, head_sequence);
CREATE TABLE deduplications (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  history_id text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  message_id text NOT NULL,
  sequence int8 NOT NULL,
  sent_ms int8 NOT NULL,
  PRIMARY KEY (account_id, region, history_id, digest)
);
CREATE INDEX deduplications_by_age ON deduplications (sent_ms);
CREATE TABLE receive_attempts (
  queue int8 NOT NULL,
  attempt_id text COLLATE "C" NOT NULL,
  claim_id text NOT NULL,
  claimed_ms int8 NOT NULL,
  visible_at_ms int8 NOT NULL,
  sequences text NOT NULL,
  PRIMARY KEY (queue, attempt_id)
);
CREATE INDEX receive_attempts_by_age ON receive_attempts (claimed_ms);
CREATE TABLE moved_counts (
  account_id text COLLATE "C" NOT NULL,
  region text COLLATE "C" NOT NULL,
  task_id text COLLATE "C" NOT NULL,
  moved int8 NOT NULL,
  PRIMARY KEY (account_id, region, task_id)
);
`;
