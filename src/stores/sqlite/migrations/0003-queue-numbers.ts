import type { Migration } from "./index.ts";

/**
 * Rows and indexes of messages are small, and lie in the order of sending: whatever is sent to
 * however many queues goes to the same few pages, and a claim changes none of a deep backlog.
 */
export const queueNumbers: Migration = {
  number: 3,
  name: "queue-numbers",
  breaking: true,
  sql: `
-- A short name for each life of a queue that has rows; given out by a counter, never twice.
CREATE TABLE queue_numbers (
  number INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL,
  region TEXT NOT NULL,
  queue_id TEXT NOT NULL,
  UNIQUE (account_id, region, queue_id)
) STRICT;
INSERT INTO queue_numbers (account_id, region, queue_id)
  SELECT account_id, region, queue_id FROM messages
  UNION SELECT account_id, region, queue_id FROM discarded_queues
  UNION SELECT account_id, region, queue_id FROM receive_attempts
  UNION SELECT account_id, region, history_id FROM deduplications;
INSERT INTO counters SELECT 'queue', coalesce(max(number), 0) + 1 FROM queue_numbers;

ALTER TABLE data_keys ADD COLUMN number INTEGER;
UPDATE data_keys SET number = numbered.number
  FROM (SELECT account_id, region, id, row_number() OVER (ORDER BY created_ms) AS number
          FROM data_keys) AS numbered
 WHERE (numbered.account_id, numbered.region, numbered.id)
     = (data_keys.account_id, data_keys.region, data_keys.id);
CREATE UNIQUE INDEX data_keys_by_number ON data_keys (number);

-- What a message keeps for life.
ALTER TABLE message_bodies RENAME TO old_bodies;
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
) STRICT;

-- What a receive changes. A message of a FIFO queue has a row from when it is hidden first, by a
-- delay or a receive: until then it is visible and was never received.
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

-- Messages of FIFO queues: the next one of the same group; 0: it is the last.
CREATE TABLE message_links (
  sequence INTEGER PRIMARY KEY,
  next_sequence INTEGER NOT NULL
) STRICT;

-- Messages that are gone, whose bodies are removed soon, many at a time.
CREATE TABLE spent_messages (
  sequence INTEGER PRIMARY KEY,
  queue INTEGER NOT NULL
) STRICT;

INSERT INTO message_bodies
  SELECT sequence, queue.number, data_keys.number, sent_ms, group_id, message_id, sender_id,
         attributes, system_attributes, dead_letter_source_arn, place_mac, bytes
    FROM old_bodies JOIN messages USING (account_id, region, queue_id, sequence)
    JOIN queue_numbers AS queue USING (account_id, region, queue_id)
    JOIN data_keys ON (data_keys.account_id, data_keys.region, data_keys.id)
                    = (old_bodies.account_id, old_bodies.region, old_bodies.data_key_id)
   ORDER BY sequence;
INSERT INTO message_states
  SELECT sequence, queue.number, lane, group_id, visible_at_ms, sent_ms, receive_count,
         first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id, size_bytes
    FROM messages JOIN old_bodies USING (account_id, region, queue_id, sequence)
    JOIN queue_numbers AS queue USING (account_id, region, queue_id)
   ORDER BY sequence;
INSERT INTO message_links
  SELECT sequence, lead(sequence, 1, 0) OVER (PARTITION BY queue, group_id ORDER BY sequence)
    FROM message_states WHERE lane = 2 ORDER BY sequence;
CREATE INDEX message_bodies_by_age ON message_bodies (queue, sent_ms);
DROP TABLE old_bodies;
CREATE INDEX message_bodies_by_data_key ON message_bodies (data_key);
CREATE INDEX message_states_by_visibility ON message_states
  (queue, lane, visible_at_ms, sequence, sent_ms, receive_count);
CREATE INDEX message_states_by_tenant ON message_states
  (queue, group_id, visible_at_ms, sequence, sent_ms) WHERE lane = 1;

-- The message of each group that comes next, and from when: so that a claim finds a group that can
-- be received without a walk through those that cannot. FIFO: and the last one of the group.
ALTER TABLE message_groups RENAME TO old_groups;
CREATE TABLE message_groups (
  queue INTEGER NOT NULL,
  group_id TEXT NOT NULL,
  head_sequence INTEGER NOT NULL,
  tail_sequence INTEGER NOT NULL,
  ready_at_ms INTEGER NOT NULL,
  PRIMARY KEY (queue, group_id)
) STRICT, WITHOUT ROWID;
INSERT INTO message_groups
  SELECT queue.number, group_id, head_sequence,
         (SELECT max(sequence) FROM messages
           WHERE (account_id, region, queue_id, group_id, lane)
               = (queue.account_id, queue.region, queue.queue_id, old_groups.group_id, 2)),
         ready_at_ms
    FROM old_groups JOIN queue_numbers AS queue USING (account_id, region, queue_id)
   WHERE EXISTS (SELECT 1 FROM messages
           WHERE (account_id, region, queue_id, group_id, lane)
               = (queue.account_id, queue.region, queue.queue_id, old_groups.group_id, 2));
INSERT INTO message_groups
  SELECT queue.number, group_id, head_sequence, 0, ready_at_ms
    FROM old_groups JOIN queue_numbers AS queue USING (account_id, region, queue_id)
   WHERE true ON CONFLICT DO NOTHING;
DROP TABLE old_groups;
DROP TABLE messages;
CREATE INDEX message_groups_by_readiness ON message_groups (queue, ready_at_ms, head_sequence);

ALTER TABLE deduplications RENAME TO old_deduplications;
CREATE TABLE deduplications (
  history INTEGER NOT NULL,
  digest BLOB NOT NULL,
  message_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  sent_ms INTEGER NOT NULL,
  PRIMARY KEY (history, digest)
) STRICT, WITHOUT ROWID;
INSERT INTO deduplications
  SELECT queue.number, digest, message_id, sequence, sent_ms
    FROM old_deduplications AS old JOIN queue_numbers AS queue
      ON (queue.account_id, queue.region, queue.queue_id)
       = (old.account_id, old.region, old.history_id);
DROP TABLE old_deduplications;
CREATE INDEX deduplications_by_age ON deduplications (sent_ms);

ALTER TABLE receive_attempts RENAME TO old_attempts;
CREATE TABLE receive_attempts (
  queue INTEGER NOT NULL,
  attempt_id TEXT NOT NULL,
  claim_id TEXT NOT NULL,
  claimed_ms INTEGER NOT NULL,
  visible_at_ms INTEGER NOT NULL,
  sequences TEXT NOT NULL,
  PRIMARY KEY (queue, attempt_id)
) STRICT, WITHOUT ROWID;
INSERT INTO receive_attempts
  SELECT queue.number, attempt_id, claim_id, claimed_ms, visible_at_ms, sequences
    FROM old_attempts JOIN queue_numbers AS queue USING (account_id, region, queue_id);
DROP TABLE old_attempts;
CREATE INDEX receive_attempts_by_age ON receive_attempts (claimed_ms);

ALTER TABLE discarded_queues RENAME TO old_discarded;
CREATE TABLE discarded_queues (
  queue INTEGER PRIMARY KEY
) STRICT;
INSERT INTO discarded_queues
  SELECT number FROM old_discarded JOIN queue_numbers USING (account_id, region, queue_id);
DROP TABLE old_discarded;
`,
};
