import type { DatabaseSync } from "node:sqlite";
import { sealedOf } from "../../kernel/sealed.ts";
import type {
  InsertMessages,
  NewMessage,
  PlacedMessage,
  QueueIdentity,
} from "../../services/sqs/store.ts";
import { type Acts, prepare } from "./act.ts";
import type { DataKeys } from "./data-keys.ts";
import type { Deduplications } from "./deduplications.ts";
import type { Fresh } from "./fresh.ts";
import type { Groups } from "./groups.ts";
import { type Lane, lanes, neverHidden } from "./lanes.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import type { Sequence } from "./sequence.ts";
import type { SharedBodies } from "./shared-bodies.ts";
import type { Tallies } from "./tallies.ts";

export interface PlacementTools {
  readonly sequence: Sequence;
  readonly numbers: QueueNumbers;
  readonly dataKeys: DataKeys;
  readonly tallies: Tallies;
  readonly groups: Groups;
  readonly deduplications: Deduplications;
  readonly fresh: Fresh;
  readonly sharedBodies: SharedBodies;
}

/** How a sent message gets its place in a queue. */
export function placementActs(
  database: DatabaseSync,
  {
    sequence,
    numbers,
    dataKeys,
    tallies,
    groups,
    deduplications,
    fresh,
    sharedBodies,
  }: PlacementTools,
): Acts<InsertMessages> {
  const putState = prepare(
    database,
    `INSERT INTO message_states
       (sequence, queue, lane, group_id, visible_at_ms, sent_ms, size_bytes,
        receive_count, first_received_ms, claim_id, claimed_ms, claim_counted, previous_claim_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, '', 0, 0, '')`,
  );
  const putBody = prepare(
    database,
    `INSERT INTO message_bodies
       (sequence, queue, data_key, sent_ms, group_id, message_id, sender_id, attributes,
        system_attributes, dead_letter_source_arn, place_mac, bytes, shared)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?)`,
  );

  function needsState(queue: number, lane: Lane, sentMs: number): boolean {
    return lane === lanes.tenant || (lane === lanes.plain && !fresh.takes(queue, sentMs));
  }

  function place(
    queue: number,
    { accountId, region }: QueueIdentity,
    it: NewMessage,
    lane: Lane,
  ): number {
    const { groupId = "", visibleAtMs, sentMs } = it;
    const at = sequence.next();
    const { dataKeyId, bytes, bodyPart } = sealedOf(it.sealed);
    putBody.run(
      at,
      queue,
      dataKeys.numberOf(accountId, region, dataKeyId),
      sentMs,
      groupId,
      it.messageId,
      it.senderId,
      it.attributes,
      it.systemAttributes,
      it.placeMac,
      bytes,
      sharedBodies.numberOf(bodyPart, at),
    );
    const hasState = visibleAtMs !== sentMs || needsState(queue, lane, sentMs);
    if (hasState) putState.run(at, queue, lane, groupId, visibleAtMs, sentMs, it.sizeBytes);
    const state = { lane, groupId, visibleAtMs, receiveCount: 0 };
    tallies.note(queue, hasState ? state : neverHidden(groupId), 1);
    groups.added(queue, state, at);
    if (lane === lanes.tenant) tallies.sent(queue, groupId, sentMs);
    return at;
  }

  return {
    "sqs.insert": ({ queue, messages, fifo }) => {
      const number = numbers.of(queue);
      if (!fifo) {
        for (const it of messages) {
          place(number, queue, it, it.groupId ? lanes.tenant : lanes.plain);
        }
        return undefined;
      }
      const history = numbers.of({ ...queue, queueId: fifo.historyId });
      return messages.map((it): PlacedMessage => {
        const first = deduplications.find(history, fifo, it);
        if (first) return { ...first, duplicate: true };
        const at = place(number, queue, it, lanes.fifo);
        deduplications.remember(history, fifo, it, at);
        return { messageId: it.messageId, sequence: at, duplicate: false };
      });
    },
  };
}
