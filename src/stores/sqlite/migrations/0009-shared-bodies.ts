import type { Migration } from "./index.ts";

/**
 * What several queues have of one publication lies once in `shared_bodies`; each message has only
 * what it alone has, and the number of the rest. The last message takes the rest along.
 */
export const sharedBodies: Migration = {
  number: 9,
  name: "shared-bodies",
  breaking: true,
  sql: `
CREATE TABLE shared_bodies (
  number INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

ALTER TABLE message_bodies ADD COLUMN shared INTEGER REFERENCES shared_bodies (number);

CREATE INDEX message_bodies_by_shared ON message_bodies (shared) WHERE shared IS NOT NULL;

CREATE TRIGGER shared_body_goes AFTER DELETE ON message_bodies WHEN old.shared IS NOT NULL BEGIN
  DELETE FROM shared_bodies WHERE number = old.shared
     AND NOT EXISTS (SELECT 1 FROM message_bodies WHERE shared = old.shared);
END;
`,
};
