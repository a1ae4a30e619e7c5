import type { DatabaseSync } from "node:sqlite";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { type Choice, type Claimed, type ClaimRows, exhaustedMax } from "./claim-rows.ts";
import type { GroupHead, Groups } from "./groups.ts";
import { lanes, type MessageState } from "./lanes.ts";
import { identity } from "./placement.ts";
import type { Tallies } from "./tallies.ts";

export interface FifoClaims {
  claim(command: ClaimMessages, count: number): Claimed;
  /** Answers the claim made under the same attempt id once more; undefined: there is none. */
  repeat(command: ClaimMessages): (Claimed & { readonly claimId: string }) | undefined;
}

export interface FifoClaimTools {
  readonly rows: ClaimRows;
  readonly groups: Groups;
  readonly tallies: Tallies;
  readonly attempts: Attempts;
}

/**
 * INVARIANT: of a group only the oldest messages are claimed, up to the first hidden one; so while
 * a message is held, nothing after it is handed out.
 */
export function createFifoClaims(database: DatabaseSync, tools: FifoClaimTools): FifoClaims {
  const { rows, groups } = tools;
  const inOrder = prepare<Choice>(
    database,
    `SELECT sequence, visible_at_ms AS visibleAtMs FROM messages INDEXED BY messages_by_order
      WHERE account_id = ? AND region = ? AND queue_id = ? AND lane = 2 AND group_id = ?
      ORDER BY sequence LIMIT ?`,
  );

  /** Takes from one group; what is exhausted goes first, alone: order needs it out of the way. */
  function takeGroup(command: ClaimMessages, groupId: string, claimed: Claimed, limit: number) {
    const { queue, nowMs, receiveCountMax = Number.POSITIVE_INFINITY } = command;
    const { messages, exhausted } = claimed;
    const exhaustedBefore = exhausted.length;
    // What is exhausted comes on top of what was asked for.
    const further = receiveCountMax === Number.POSITIVE_INFINITY ? 0 : exhaustedMax;
    const choices = inOrder.all(...identity(queue), groupId, limit + further);
    const changed: MessageState[] = [];
    let taken = 0;
    for (const { sequence, visibleAtMs } of choices) {
      if (visibleAtMs > nowMs || taken >= limit) break;
      const row = rows.load(queue, sequence);
      const counted = row.receiveCount < receiveCountMax;
      if (counted && exhausted.length > exhaustedBefore) break;
      if (!counted && (taken > 0 || exhausted.length >= exhaustedMax)) break;
      (counted ? messages : exhausted).push(rows.take(row, lanes.fifo, command, counted));
      changed.push({ lane: lanes.fifo, groupId, visibleAtMs, receiveCount: row.receiveCount });
      if (counted) taken++;
    }
    groups.changed(queue, changed);
  }

  return {
    claim(command, count) {
      const { queue, nowMs } = command;
      const claimed: Claimed = { messages: [], exhausted: [] };
      let last: GroupHead | undefined;
      while (claimed.messages.length < count && claimed.exhausted.length < exhaustedMax) {
        // Each group is looked at once: a snapshot in order, continued after its last one.
        const heads = groups.ready(queue, nowMs, last, count);
        for (const head of heads) {
          const limit = count - claimed.messages.length;
          if (limit > 0) takeGroup(command, head.groupId, claimed, limit);
        }
        last = heads.at(-1);
        // Messages that are visible again at once would come round in a second snapshot.
        if (heads.length < count || command.visibleAgainMs <= nowMs) break;
      }
      tools.attempts.remember(command, command.claimId, claimed.messages);
      return claimed;
    },
    repeat: createRepeat(database, tools),
  };
}

interface HeldState {
  readonly claimId: string;
  readonly visibleAtMs: number;
}

function createRepeat(
  database: DatabaseSync,
  { rows, groups, tallies, attempts }: FifoClaimTools,
): FifoClaims["repeat"] {
  const samePlace = "account_id = ? AND region = ? AND queue_id = ? AND sequence = ?";
  const read = prepare<HeldState>(
    database,
    `SELECT claim_id AS claimId, visible_at_ms AS visibleAtMs FROM messages WHERE ${samePlace}`,
  );
  const hide = prepare(database, `UPDATE messages SET visible_at_ms = ? WHERE ${samePlace}`);

  function isUntouched({ queue }: ClaimMessages, attempt: Attempt): boolean {
    return attempt.sequences.every((sequence) => {
      const state = read.get(...identity(queue), sequence);
      return state?.claimId === attempt.claimId && state.visibleAtMs === attempt.visibleAtMs;
    });
  }

  function hideAnew(command: ClaimMessages, sequence: number): ClaimedMessage {
    const { queue, visibleAgainMs } = command;
    const row = rows.load(queue, sequence);
    const { groupId, visibleAtMs, receiveCount } = row;
    const state: MessageState = { lane: lanes.fifo, groupId, visibleAtMs, receiveCount };
    hide.run(visibleAgainMs, ...identity(queue), sequence);
    tallies.note(queue, state, -1);
    tallies.note(queue, { ...state, visibleAtMs: visibleAgainMs }, 1);
    groups.changed(queue, [state]);
    return row;
  }

  return (command) => {
    const attempt = attempts.find(command);
    if (!attempt || !isUntouched(command, attempt)) return undefined;
    const messages = attempt.sequences.map((sequence) => hideAnew(command, sequence));
    attempts.remember(command, attempt.claimId, messages);
    return { messages, exhausted: [], claimId: attempt.claimId };
  };
}
