import type { Migration } from "./index.ts";

/** What lies under a data key is counted per queue in the index alone. */
export const sealedUnder: Migration = {
  number: 4,
  name: "sealed-under",
  breaking: false,
  sql: `
DROP INDEX message_bodies_by_data_key;
CREATE INDEX message_bodies_by_data_key ON message_bodies (data_key, queue, sent_ms);
`,
};
