import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import {
  type Choice,
  type Claimed,
  claimValues,
  exhaustedMax,
  partition,
  type Taken,
  takeChosen,
  takeThese,
} from "./claim-rows.ts";
import { texts } from "./columns.ts";
import { lanes } from "./lanes.ts";
import type { Session } from "./session.ts";
import type { Noisy, Tenants } from "./tenants.ts";

/**
 * Visible messages are a range of the index, so a claim costs the same at any depth; messages
 * beyond retention inside that range are stepped over in the index until they are swept.
 */
export async function claimStandard(
  session: Session,
  queue: number,
  command: ClaimMessages,
  count: number,
  tenants: Tenants,
): Promise<Claimed> {
  const noisy = await tenants.noisy(session, queue, command.nowMs);
  const messages: ClaimedMessage[] = [];
  const exhausted: ClaimedMessage[] = [];
  for (;;) {
    const limit = count - messages.length;
    const taken =
      noisy === undefined
        ? await takePlain(session, queue, command, limit)
        : await takeFair(session, queue, command, limit, noisy, tenants);
    const before = exhausted.length;
    const found = partition(taken);
    messages.push(...found.messages);
    exhausted.push(...found.exhausted);
    // Another round only to make up for exhausted ones. Claimed messages that are visible again
    // at once would come back in it, so there is none then.
    const madeUp = messages.length >= count || exhausted.length === before;
    const comesBack = command.visibleAgainMs <= command.nowMs && messages.length > 0;
    if (madeUp || comesBack || exhausted.length >= exhaustedMax) return { messages, exhausted };
  }
}

function takePlain(
  session: Session,
  queue: number,
  command: ClaimMessages,
  limit: number,
): Promise<readonly Taken[]> {
  return session.all<Taken>(
    `WITH chosen AS MATERIALIZED (
       SELECT sequence, visible_at_ms AS was_visible_ms FROM messages
        WHERE queue = $1::int8 AND lane = 0 AND visible_at_ms <= $2::int8 AND sent_ms >= $6::int8
        ORDER BY visible_at_ms, sequence LIMIT $7::int8 FOR UPDATE SKIP LOCKED), ${takeChosen}
      ORDER BY was_visible_ms, taken.sequence`,
    ...claimValues(queue, command),
    command.retainedSinceMs,
    limit,
  );
}

/** From a queue with tenants: quiet ones first. What others hold meanwhile is left to them. */
async function takeFair(
  session: Session,
  queue: number,
  command: ClaimMessages,
  limit: number,
  noisy: Noisy,
  tenants: Tenants,
): Promise<readonly Taken[]> {
  const { nowMs, retainedSinceMs } = command;
  const range = [queue, nowMs, retainedSinceMs] as const;
  const plain = ofLane(session, lanes.plain, range, limit);
  if (noisy.length === 0) {
    const choices = [...(await plain), ...(await ofLane(session, lanes.tenant, range, limit))];
    return takeThese(session, queue, command, oldest(choices, limit));
  }
  const quiet = await session.all<Choice>(
    `SELECT sequence, visible_at_ms AS "visibleAtMs" FROM messages
      WHERE queue = $1::int8 AND lane = ${lanes.tenant} AND visible_at_ms <= $2::int8
        AND sent_ms >= $3::int8 AND group_id <> ALL ($4::text[])
      ORDER BY visible_at_ms, sequence LIMIT $5::int8 FOR UPDATE SKIP LOCKED`,
    ...range,
    texts(noisy),
    limit,
  );
  const chosen = [...oldest([...(await plain), ...quiet], limit)];
  for (const groupId of noisy) {
    const more = await ofTenant(session, groupId, range, Math.max(1, limit - chosen.length));
    if (more.length === 0) tenants.drained(queue, groupId);
    else chosen.push(...more.slice(0, limit - chosen.length));
  }
  return takeThese(session, queue, command, chosen);
}

type Range = readonly [queue: number, nowMs: number, retainedSinceMs: number];

function ofLane(session: Session, lane: number, range: Range, limit: number): Promise<Choice[]> {
  return session.all<Choice>(
    `SELECT sequence, visible_at_ms AS "visibleAtMs" FROM messages
      WHERE queue = $1::int8 AND lane = $4::int2 AND visible_at_ms <= $2::int8
        AND sent_ms >= $3::int8
      ORDER BY visible_at_ms, sequence LIMIT $5::int8 FOR UPDATE SKIP LOCKED`,
    ...range,
    lane,
    limit,
  );
}

function ofTenant(
  session: Session,
  groupId: string,
  range: Range,
  limit: number,
): Promise<Choice[]> {
  return session.all<Choice>(
    `SELECT sequence, visible_at_ms AS "visibleAtMs" FROM messages
      WHERE queue = $1::int8 AND lane = 1 AND group_id = $4::text AND visible_at_ms <= $2::int8
        AND sent_ms >= $3::int8
      ORDER BY visible_at_ms, sequence LIMIT $5::int8 FOR UPDATE SKIP LOCKED`,
    ...range,
    groupId,
    limit,
  );
}

function oldest(choices: readonly Choice[], limit: number): readonly Choice[] {
  return choices
    .toSorted((a, b) => a.visibleAtMs - b.visibleAtMs || a.sequence - b.sequence)
    .slice(0, limit);
}
