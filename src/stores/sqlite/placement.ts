import type { DatabaseSync } from "node:sqlite";
import type {
  InsertMessages,
  NewMessage,
  PlacedMessage,
  QueueIdentity,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { Deduplications } from "./deduplications.ts";
import type { Groups } from "./groups.ts";
import { type Lane, lanes } from "./lanes.ts";
import type { Sequence } from "./sequence.ts";
import type { Tallies } from "./tallies.ts";

export interface PlacementTools {
  readonly sequence: Sequence;
  readonly tallies: Tallies;
  readonly groups: Groups;
  readonly deduplications: Deduplications;
}

/** How a sent message gets its place in a queue. */
export function placementActs(
  database: DatabaseSync,
  { sequence, tallies, groups, deduplications }: PlacementTools,
): Acts<InsertMessages> {
  const putMessage = prepare(
    database,
    `INSERT INTO messages
       (account_id, region, queue_id, sequence, lane, group_id, visible_at_ms, sent_ms,
        receive_count, first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '', 0, 0, '')`,
  );
  const putBody = prepare(
    database,
    `INSERT INTO message_bodies
       (account_id, region, queue_id, sequence, message_id, data_key_id, bytes, place_mac,
        attributes, system_attributes, sender_id, size_bytes, dead_letter_source_arn)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
  );

  function place(queue: QueueIdentity, it: NewMessage, lane: Lane): number {
    const { accountId, region, queueId } = queue;
    const { groupId = "", visibleAtMs, sentMs } = it;
    const at = sequence.next();
    putMessage.run(accountId, region, queueId, at, lane, groupId, visibleAtMs, sentMs);
    putBody.run(
      accountId,
      region,
      queueId,
      at,
      it.messageId,
      it.sealed.dataKeyId,
      it.sealed.bytes,
      it.placeMac,
      it.attributes,
      it.systemAttributes,
      it.senderId,
      it.sizeBytes,
    );
    const state = { lane, groupId, visibleAtMs, receiveCount: 0 };
    tallies.note(queue, state, 1);
    groups.added(queue, state, at);
    if (lane === lanes.tenant) tallies.sent(queue, groupId, sentMs);
    return at;
  }

  return {
    "sqs.insert": ({ queue, messages, fifo }) => {
      if (!fifo) {
        for (const it of messages) place(queue, it, it.groupId ? lanes.tenant : lanes.plain);
        return undefined;
      }
      return messages.map((it): PlacedMessage => {
        const first = deduplications.find(queue, fifo, it);
        if (first) return { ...first, duplicate: true };
        const at = place(queue, it, lanes.fifo);
        deduplications.remember(queue, fifo, it, at);
        return { messageId: it.messageId, sequence: at, duplicate: false };
      });
    },
  };
}

/** Leading columns of every message row. */
export function identity(queue: QueueIdentity): readonly [string, string, string] {
  return [queue.accountId, queue.region, queue.queueId];
}
