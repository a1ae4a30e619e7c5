import type { ClaimedMessage, ClaimMessages, ClaimResult } from "../../services/sqs/store.ts";
import { findAttempt, rememberAttempt } from "./attempts.ts";
import { type Choice, type Claimed, exhaustedMax, partition, takeThese } from "./claim-rows.ts";
import { integers, texts } from "./columns.ts";
import { settleHeads } from "./groups.ts";
import type { InFlight } from "./in-flight.ts";
import { repeatClaim } from "./repeat-claim.ts";
import type { Session } from "./session.ts";

type Found = Claimed & Pick<ClaimResult, "repeatedClaimId" | "overLimit">;

interface Head {
  readonly groupId: string;
  readonly sequence: number;
  readonly readyAtMs: number;
}

type InOrder = Choice & { readonly groupId: string; readonly receiveCount: number };

/**
 * INVARIANT: of a group only the oldest messages are claimed, up to the first hidden one; so while
 * a message is held, nothing after it is handed out. Groups that another process works on are
 * skipped: their messages come with the next look.
 */
export async function claimFifo(
  session: Session,
  queue: number,
  command: ClaimMessages,
  inFlight: InFlight,
): Promise<Found> {
  const attempt = await findAttempt(session, queue, command);
  const again = attempt && (await repeatClaim(session, queue, command, attempt));
  if (again) return { ...again, overLimit: false };
  const room = await inFlight.room(session, queue, command);
  if (room <= 0) return { messages: [], exhausted: [], overLimit: true };
  const claimed = await claimGroups(session, queue, command, Math.min(command.count, room));
  inFlight.took(queue, claimed.messages.length + claimed.exhausted.length);
  const { claimId } = command;
  await rememberAttempt(session, queue, command, claimId, claimed.messages);
  return { ...claimed, overLimit: false };
}

async function claimGroups(
  session: Session,
  queue: number,
  command: ClaimMessages,
  count: number,
): Promise<Claimed> {
  const messages: ClaimedMessage[] = [];
  const exhausted: ClaimedMessage[] = [];
  let last: Head | undefined;
  while (messages.length < count && exhausted.length < exhaustedMax) {
    // Each group is looked at once: a snapshot in order, continued after its last one.
    const heads = await lockReady(session, queue, command.nowMs, last, count);
    if (heads.length === 0) break;
    const rows = await firstOf(session, queue, heads, count, command);
    const choices = choose(heads, rows, command, count - messages.length, exhausted.length);
    const taken = partition(await takeThese(session, queue, command, choices));
    messages.push(...taken.messages);
    exhausted.push(...taken.exhausted);
    await settleHeads(
      session,
      heads.map(({ groupId }) => ({ queue, groupId })),
    );
    last = heads.at(-1);
    // Messages that are visible again at once would come round in a second snapshot.
    if (heads.length < count || command.visibleAgainMs <= command.nowMs) break;
  }
  return { messages, exhausted };
}

function lockReady(
  session: Session,
  queue: number,
  nowMs: number,
  after: Head | undefined,
  limit: number,
): Promise<Head[]> {
  return session.all<Head>(
    `SELECT group_id AS "groupId", head_sequence AS sequence, ready_at_ms AS "readyAtMs"
       FROM message_groups
      WHERE queue = $1::int8 AND ready_at_ms <= $2::int8
        AND (ready_at_ms, head_sequence) > ($3::int8, $4::int8)
      ORDER BY ready_at_ms, head_sequence LIMIT $5::int8 FOR UPDATE SKIP LOCKED`,
    queue,
    nowMs,
    after?.readyAtMs ?? 0,
    after?.sequence ?? 0,
    limit,
  );
}

/** The first messages of each group, hidden ones too. What is exhausted comes on top. */
function firstOf(
  session: Session,
  queue: number,
  heads: readonly Head[],
  count: number,
  { receiveCountMax }: ClaimMessages,
): Promise<InOrder[]> {
  const further = receiveCountMax === undefined ? 0 : exhaustedMax;
  return session.all<InOrder>(
    `SELECT asked.group_id AS "groupId", it.sequence, it.visible_at_ms AS "visibleAtMs",
            it.receive_count AS "receiveCount"
       FROM unnest($2::text[], $3::int8[]) AS asked(group_id, place)
       JOIN LATERAL (
         SELECT sequence, visible_at_ms, receive_count FROM messages
          WHERE messages.queue = $1::int8 AND messages.group_id = asked.group_id AND lane = 2
          ORDER BY sequence LIMIT $4::int8) AS it ON true
      ORDER BY asked.place, it.sequence`,
    queue,
    texts(heads.map(({ groupId }) => groupId)),
    integers(heads.map((_, index) => index)),
    count + further,
  );
}

/** From each group in turn; what is exhausted goes first, alone: order needs it out of the way. */
function choose(
  heads: readonly Head[],
  rows: readonly InOrder[],
  command: ClaimMessages,
  count: number,
  exhaustedAlready: number,
): readonly Choice[] {
  const { nowMs, receiveCountMax = Number.POSITIVE_INFINITY } = command;
  const byGroup = Map.groupBy(rows, ({ groupId }) => groupId);
  const choices: Choice[] = [];
  let room = count;
  let exhausted = exhaustedAlready;
  for (const { groupId } of heads) {
    if (room <= 0) break;
    const exhaustedBefore = exhausted;
    const limit = room;
    let taken = 0;
    for (const row of byGroup.get(groupId) ?? []) {
      if (row.visibleAtMs > nowMs || taken >= limit) break;
      const counted = row.receiveCount < receiveCountMax;
      if (counted && exhausted > exhaustedBefore) break;
      if (!counted && (taken > 0 || exhausted >= exhaustedMax)) break;
      choices.push(row);
      if (counted) taken += 1;
      else exhausted += 1;
    }
    room -= taken;
  }
  return choices;
}
