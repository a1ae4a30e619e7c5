import type { TableShape } from "./tables.ts";

/*
 * A whole store in a form that every kind of store can read and write: what is kept, without the
 * numbers, links and counts by which one kind finds it again. Copies from one kind to the other go
 * in it, and equal sums of its tables mean equal stores. Queues whose life ended are not in it.
 */

/** text, whole number, bytes. Truth is a number, 0 or 1. */
export type PortableType = "text" | "integer" | "bytes";

export interface PortableTable extends TableShape {
  /** One for each column. */
  readonly types: readonly PortableType[];
}

/**
 * Rises with every change of the tables below, or of what they hold; a reader knows all earlier
 * ones. 2: envelopes of shared bodies.
 */
export const portableSchema = 2;

const types = { t: "text", i: "integer", b: "bytes" } as const;

/** `name:type` of each column; the first `keyColumns` name a row. */
function table(name: string, keyColumns: number, columns: string): PortableTable {
  const pairs = columns.split(" ").map((column) => column.split(":") as [string, "t" | "i" | "b"]);
  return {
    name,
    keyColumns,
    columns: pairs.map(([column]) => column),
    types: pairs.map(([, type]) => types[type]),
  };
}

/** The last number that messages and order have used, plus one. */
export const numbersTable = table("numbers", 1, "name:t next:i");
export const sequenceName = "sequence";

const place = "account_id:t region:t";
const chained = "key_version:i hash:b";

export const metaTable = table("meta", 1, "name:t value:b");
export const messagesTable = table(
  "messages",
  4,
  `${place} queue_id:t sequence:i lane:i group_id:t sent_ms:i visible_at_ms:i receive_count:i ` +
    "first_received_ms:i claim_id:t claimed_ms:i claim_counted:i previous_claim_id:t " +
    "message_id:t data_key_id:t sender_id:t attributes:t system_attributes:t " +
    "dead_letter_source_arn:t place_mac:b bytes:b",
);

export const eventsTable = table(
  "audit_events",
  3,
  `${place} number:i time_ms:i event_id:t event_name:t event_source:t username:t ` +
    `access_key_id:t read_only:i resources:t record:t ${chained}`,
);

/** In the order in which rows can be put: what is referred to comes first. */
export const portableTables: readonly PortableTable[] = [
  metaTable,
  numbersTable,
  table("account_versions", 1, "account_id:t version:i"),
  table("audit_chains", 3, `${place} lane:t number:i hash:b`),
  table("records", 4, `${place} kind:t id:t version:i content:t mac:b`),
  table("data_keys", 3, `${place} id:t sealing_arn:t mode:t key_arn:t blob:b created_ms:i`),
  messagesTable,
  table("deduplications", 4, `${place} history_id:t digest:b message_id:t sequence:i sent_ms:i`),
  table(
    "receive_attempts",
    4,
    `${place} queue_id:t attempt_id:t claim_id:t claimed_ms:i visible_at_ms:i sequences:t`,
  ),
  table("moved_counts", 3, `${place} task_id:t moved:i`),
  table(
    "undelivered",
    4,
    `${place} subscription_arn:t message_id:t topic_arn:t data_key_id:t bytes:b metadata:t ` +
      "published_ms:i attempts:i next_attempt_ms:i given_up_ms:i group_id:t sequence:i " +
      "failure_code:t failure_text:t",
  ),
  table("topic_orders", 3, `${place} topic_name:t last_sequence:i`),
  table(
    "topic_deduplications",
    4,
    `${place} topic_name:t digest:b message_id:t sequence:i sent_ms:i`,
  ),
  table(
    "topic_archive",
    4,
    `${place} topic_name:t sequence:i message_id:t data_key_id:t bytes:b metadata:t published_ms:i`,
  ),
  eventsTable,
  table(
    "trail_batches",
    4,
    `${place} trail:t number:i event_region:t oldest_ms:i newest_ms:i records:b ${chained}`,
  ),
];

/** What changes with every commit that a server makes: equal facts mean that none worked on it. */
export const factTables: readonly PortableTable[] = portableTables.filter(({ name }) =>
  ["meta", "numbers", "account_versions", "audit_chains"].includes(name),
);
