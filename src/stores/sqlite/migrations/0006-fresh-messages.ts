import type { Migration } from "./index.ts";

/**
 * Messages of standard queues without a group have a state only from when they are hidden first,
 * like those of FIFO queues. Those before a queue's start all have one, or are gone.
 */
export const freshMessages: Migration = {
  number: 6,
  name: "fresh-messages",
  breaking: true,
  sql: `
ALTER TABLE queue_numbers ADD COLUMN fresh_sent_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_numbers ADD COLUMN fresh_sequence INTEGER NOT NULL DEFAULT 0;
UPDATE queue_numbers
   SET fresh_sent_ms = newest.sent_ms, fresh_sequence = newest.sequence
  FROM (SELECT queue, max(sent_ms) AS sent_ms, sequence FROM message_bodies GROUP BY queue)
       AS newest
 WHERE newest.queue = queue_numbers.number;
`,
};
