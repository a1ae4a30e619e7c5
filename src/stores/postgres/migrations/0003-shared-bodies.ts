import type { Migration } from "./index.ts";

/**
 * A copy of an embedded store brings bodies that several queues have, each with all of its envelope
 * (`crypto/shared-envelope`). Older code would not open them.
 */
export const sharedBodies: Migration = {
  number: 3,
  name: "shared-bodies",
  breaking: true,
  sql: "SELECT 1",
};
