import type {
  ChangeVisibility,
  DelayAnew,
  UnclaimMessages,
  VisibilityResult,
} from "../../services/sqs/store.ts";
import { type Acts, allDone, each } from "./act.ts";
import { integers, texts } from "./columns.ts";
import { lockForSend, lockGroupsOf, settleHeads } from "./groups.ts";
import { inOrder, lanes, type Place, placeKey } from "./lanes.ts";
import type { Session } from "./session.ts";

interface HeldState extends Place {
  readonly lane: number;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
  readonly claimId: string;
  readonly claimedMs: number;
  readonly claimCounted: boolean;
}

/** What is done to hidden messages short of deleting or moving them. */
export const heldActs: Acts<UnclaimMessages | ChangeVisibility | DelayAnew> = {
  "sqs.visibility": async (work, commands) => {
    const changes = commands.flatMap((command) => {
      const queue = work.queue(command.queue);
      return queue === undefined ? [] : command.changes.map((change) => ({ queue, ...change }));
    });
    const { states, groups } = await lockStates(work, changes);
    const changed = new Map<string, HeldState>();
    const results = commands.map((command) => {
      const queue = work.queue(command.queue);
      return command.changes.map((change): VisibilityResult => {
        if (queue === undefined) return "absent";
        const key = placeKey({ queue, sequence: change.sequence });
        const state = changed.get(key) ?? states.get(key);
        if (state === undefined) return "absent";
        const result = judge(state, command, change);
        if (result === "changed") {
          changed.set(key, { ...state, visibleAtMs: change.visibleAtMs });
        }
        return result;
      });
    });
    await show(work, [...changed.values()]);
    await settleHeads(work, groups);
    return results;
  },
  "sqs.unclaim": async (work, commands) => {
    const undone = commands.flatMap((command) => {
      const queue = work.queue(command.queue);
      return queue === undefined ? [] : command.messages.map((it) => ({ queue, ...it }));
    });
    const { states, groups } = await lockStates(work, undone);
    const held = undone.filter((it) => states.get(placeKey(it))?.claimId === it.claimId);
    await unclaim(work, held);
    await settleHeads(work, groups);
    return commands.map(() => undefined);
  },
  "sqs.delay-anew": each(async (work, { queue, sentAfterMs, delayMs }) => {
    const number = work.queue(queue);
    if (number !== undefined) await delayAnew(work, number, sentAfterMs, delayMs);
    return undefined;
  }),
};

function judge(
  state: HeldState,
  { nowMs, heldMsMax }: ChangeVisibility,
  { claimId, visibleAtMs }: ChangeVisibility["changes"][number],
): VisibilityResult {
  if (state.claimId !== claimId) return "superseded";
  if (state.lane === lanes.fifo && state.visibleAtMs <= nowMs) return "lapsed";
  return visibleAtMs > state.claimedMs + heldMsMax ? "beyond-limit" : "changed";
}

/** Locks the messages (and their groups before them), and reads what they are. */
async function lockStates(session: Session, places: readonly Place[]) {
  const groups = await lockGroupsOf(session, places);
  if (places.length === 0) return { groups, states: new Map<string, HeldState>() };
  const sorted = inOrder(places);
  const rows = await session.all<HeldState>(
    `SELECT queue, sequence, lane, visible_at_ms AS "visibleAtMs",
            receive_count AS "receiveCount", claim_id AS "claimId", claimed_ms AS "claimedMs",
            claim_counted AS "claimCounted"
       FROM messages WHERE (queue, sequence) IN (SELECT * FROM unnest($1::int8[], $2::int8[]))
      ORDER BY queue, sequence FOR UPDATE`,
    integers(sorted.map(({ queue }) => queue)),
    integers(sorted.map(({ sequence }) => sequence)),
  );
  return { groups, states: new Map(rows.map((row) => [placeKey(row), row])) };
}

async function show(
  session: Session,
  changes: readonly (Place & { readonly visibleAtMs: number })[],
): Promise<void> {
  if (changes.length === 0) return;
  await session.run(
    `UPDATE messages SET visible_at_ms = shown.visible_at_ms
       FROM unnest($1::int8[], $2::int8[], $3::int8[]) AS shown(queue, sequence, visible_at_ms)
      WHERE messages.queue = shown.queue AND messages.sequence = shown.sequence`,
    integers(changes.map(({ queue }) => queue)),
    integers(changes.map(({ sequence }) => sequence)),
    integers(changes.map(({ visibleAtMs }) => visibleAtMs)),
  );
}

/** The handle of the receive before stays good, as if this claim had never been. */
async function unclaim(
  session: Session,
  undone: readonly (Place & { readonly claimId: string; readonly visibleAtMs: number })[],
): Promise<void> {
  if (undone.length === 0) return;
  await session.run(
    `UPDATE messages
        SET visible_at_ms = undone.visible_at_ms,
            receive_count = receive_count - claim_counted::int4,
            claim_id = previous_claim_id, previous_claim_id = '', claim_counted = false,
            first_received_ms = CASE receive_count - claim_counted::int4 WHEN 0 THEN 0
                                ELSE first_received_ms END
       FROM unnest($1::int8[], $2::int8[], $3::text[], $4::int8[])
         AS undone(queue, sequence, by_claim, visible_at_ms)
      WHERE messages.queue = undone.queue AND messages.sequence = undone.sequence
        AND messages.claim_id = undone.by_claim`,
    integers(undone.map(({ queue }) => queue)),
    integers(undone.map(({ sequence }) => sequence)),
    texts(undone.map(({ claimId }) => claimId)),
    integers(undone.map(({ visibleAtMs }) => visibleAtMs)),
  );
}

/** Rare, and bounded by what was sent in the longest delay. */
async function delayAnew(
  session: Session,
  queue: number,
  sentAfterMs: number,
  delayMs: number,
): Promise<void> {
  const recent = `SELECT sequence FROM message_bodies
    WHERE queue = $1::int8 AND sent_ms > $2::int8`;
  const groups = await session.all<{ queue: number; groupId: string }>(
    `SELECT DISTINCT queue, group_id AS "groupId" FROM messages
      WHERE queue = $1::int8 AND lane = 2 AND receive_count = 0 AND sequence IN (${recent})`,
    queue,
    sentAfterMs,
  );
  if (groups.length > 0) await lockForSend(session, groups);
  await allDone([
    session.run(
      `UPDATE messages SET visible_at_ms = sent_ms + $3::int8
        WHERE queue = $1::int8 AND receive_count = 0 AND sequence IN (${recent})`,
      queue,
      sentAfterMs,
      delayMs,
    ),
    settleHeads(session, groups),
  ]);
}
