import type { TableColumn, TableShape } from "../kernel/tables.ts";

const text = (...names: string[]): TableColumn[] => names.map((name) => ({ name, type: "text" }));
const integer = (...names: string[]): TableColumn[] =>
  names.map((name) => ({ name, type: "integer" }));
const bytes = (...names: string[]): TableColumn[] => names.map((name) => ({ name, type: "bytes" }));
const nullable = (columns: readonly TableColumn[]): TableColumn[] =>
  columns.map((column) => ({ ...column, nullable: true }));

const scope = text("account_id", "region");

function table(
  name: string,
  key: readonly TableColumn[],
  ...others: readonly TableColumn[][]
): TableShape {
  return { name, columns: [...key, ...others.flat()], keyColumns: key.length };
}

/**
 * Every table of an installation, in an order that respects foreign keys: data keys come before
 * what they sealed. A test compares it with the schema of each store.
 */
export const installationTables: readonly TableShape[] = [
  table("meta", text("name"), bytes("value")),
  table("counters", text("name"), integer("reserved_until")),
  table("account_versions", text("account_id"), integer("version")),
  table(
    "records",
    [...scope, ...text("kind", "id")],
    integer("version"),
    text("content"),
    bytes("mac"),
  ),
  table(
    "data_keys",
    [...scope, ...text("id")],
    text("sealing_arn", "mode", "key_arn"),
    bytes("blob"),
    integer("created_ms"),
  ),
  table(
    "messages",
    [...scope, ...text("queue_id"), ...integer("sequence")],
    integer("lane"),
    text("group_id"),
    integer("visible_at_ms", "sent_ms", "receive_count", "first_received_ms"),
    text("claim_id"),
    integer("claimed_ms", "claim_counted"),
    text("previous_claim_id"),
  ),
  table(
    "message_bodies",
    [...scope, ...text("queue_id"), ...integer("sequence")],
    text("message_id", "data_key_id"),
    bytes("bytes", "place_mac"),
    text("attributes", "system_attributes", "sender_id"),
    integer("size_bytes"),
    text("dead_letter_source_arn"),
  ),
  table(
    "message_groups",
    [...scope, ...text("queue_id", "group_id")],
    integer("head_sequence", "ready_at_ms"),
  ),
  table(
    "deduplications",
    [...scope, ...text("history_id"), ...bytes("digest")],
    text("message_id"),
    integer("sequence", "sent_ms"),
  ),
  table(
    "receive_attempts",
    [...scope, ...text("queue_id", "attempt_id")],
    text("claim_id"),
    integer("claimed_ms", "visible_at_ms"),
    text("sequences"),
  ),
  table("moved_counts", [...scope, ...text("task_id")], integer("moved")),
  table("discarded_queues", [...scope, ...text("queue_id")]),
  table(
    "undelivered",
    [...scope, ...text("subscription_arn", "message_id")],
    text("topic_arn", "data_key_id"),
    bytes("bytes"),
    text("metadata"),
    integer("published_ms", "attempts"),
    nullable(integer("next_attempt_ms")),
    text("failure_code", "failure_text"),
    nullable([...integer("given_up_ms"), ...text("group_id"), ...integer("sequence")]),
  ),
  table(
    "topic_archive",
    [...scope, ...text("topic_name"), ...integer("sequence")],
    text("message_id", "data_key_id"),
    bytes("bytes"),
    text("metadata"),
    integer("published_ms"),
  ),
  table(
    "topic_deduplications",
    [...scope, ...text("topic_name"), ...bytes("digest")],
    text("message_id"),
    integer("sequence", "sent_ms"),
  ),
  table("topic_orders", [...scope, ...text("topic_name")], integer("last_sequence")),
  table("audit_chains", [...scope, ...text("lane")], integer("number"), bytes("hash")),
  table(
    "audit_events",
    [...scope, ...integer("number")],
    integer("time_ms"),
    text("event_id", "event_name", "event_source", "username", "access_key_id"),
    integer("read_only"),
    text("resources", "record"),
    integer("key_version"),
    bytes("hash"),
  ),
  table("audit_resources", [
    ...scope,
    ...text("name"),
    ...integer("time_ms", "number"),
    ...text("type"),
  ]),
  table(
    "trail_events",
    [...scope, ...text("trail"), ...integer("number")],
    text("event_region"),
    integer("time_ms"),
    text("record"),
    integer("key_version"),
    bytes("hash"),
  ),
];
