import type { Migration } from "./index.ts";

/** What was sent lately lies in the order of sending, without an index. */
export const deduplicationsInOrder: Migration = {
  number: 7,
  name: "deduplications-in-order",
  breaking: true,
  sql: `
ALTER TABLE deduplications RENAME TO old_deduplications;
CREATE TABLE deduplications (
  sequence INTEGER PRIMARY KEY,
  history INTEGER NOT NULL,
  digest BLOB NOT NULL,
  message_id TEXT NOT NULL,
  sent_ms INTEGER NOT NULL
) STRICT;
INSERT INTO deduplications
  SELECT sequence, history, digest, message_id, sent_ms FROM old_deduplications
   ORDER BY sequence;
DROP TABLE old_deduplications;
`,
};
