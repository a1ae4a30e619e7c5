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
CREATE INDEX undelivered_by_end ON undelivered (given_up_ms) WHERE given_up_ms IS NOT NULL;
`,
};
