import { sealedOf } from "../../kernel/sealed.ts";
import type { NewMessage } from "../../services/sqs/store.ts";
import { blobs, integers, texts } from "./columns.ts";
import type { Session } from "./session.ts";

/** A message with the queue that it goes to. */
export interface Placing {
  readonly queue: number;
  readonly lane: number;
  readonly message: NewMessage;
  /** Given by the statement itself where it is absent. */
  readonly sequence?: number;
}

/** Numbers follow the order of the rows: `unnest` gives them in the order of the arrays. */
export async function place(session: Session, placings: readonly Placing[]): Promise<void> {
  const messages = placings.map(({ message }) => message);
  await session.run(
    `WITH sent AS MATERIALIZED (
       SELECT coalesce(given, nextval('message_sequence')) AS sequence, it.*
         FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::int8[], $6::int8[],
                $7::text[], $8::text[], $9::bytea[], $10::bytea[], $11::text[], $12::text[],
                $13::text[], $14::int8[])
           AS it(given, queue, lane, group_id, visible_at_ms, sent_ms, message_id, data_key_id,
                 bytes, place_mac, attributes, system_attributes, sender_id, size_bytes)),
     body AS (
       INSERT INTO message_bodies
         (queue, sequence, sent_ms, message_id, data_key_id, bytes, place_mac, attributes,
          system_attributes, sender_id, size_bytes)
       SELECT queue, sequence, sent_ms, message_id, data_key_id, bytes, place_mac, attributes,
              system_attributes, sender_id, size_bytes FROM sent)
     INSERT INTO messages (queue, sequence, lane, group_id, visible_at_ms, sent_ms)
     SELECT queue, sequence, lane, group_id, visible_at_ms, sent_ms FROM sent`,
    integers(placings.map(({ sequence }) => sequence ?? null)),
    integers(placings.map(({ queue }) => queue)),
    integers(placings.map(({ lane }) => lane)),
    texts(messages.map(({ groupId }) => groupId ?? "")),
    integers(messages.map(({ visibleAtMs }) => visibleAtMs)),
    integers(messages.map(({ sentMs }) => sentMs)),
    texts(messages.map(({ messageId }) => messageId)),
    texts(messages.map(({ sealed }) => sealed.dataKeyId)),
    blobs(messages.map(({ sealed }) => sealedOf(sealed).bytes)),
    blobs(messages.map(({ placeMac }) => placeMac)),
    texts(messages.map(({ attributes }) => attributes)),
    texts(messages.map(({ systemAttributes }) => systemAttributes)),
    texts(messages.map(({ senderId }) => senderId)),
    integers(messages.map(({ sizeBytes }) => sizeBytes)),
  );
}
