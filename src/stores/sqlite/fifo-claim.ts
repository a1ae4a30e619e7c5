import type { DatabaseSync } from "node:sqlite";
import type { ClaimedMessage, ClaimMessages } from "../../services/sqs/store.ts";
import { prepare } from "./act.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { type Claimed, type ClaimRows, exhaustedMax } from "./claim-rows.ts";
import type { GroupHead, Groups } from "./groups.ts";
import { lanes, type MessageState } from "./lanes.ts";
import type { Tallies } from "./tallies.ts";

export interface FifoClaims {
  claim(queue: number, command: ClaimMessages, count: number): Claimed;
  /** Answers the claim made under the same attempt id once more; undefined: there is none. */
  repeat(
    queue: number,
    command: ClaimMessages,
  ): (Claimed & { readonly claimId: string }) | undefined;
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

  /** Takes from one group; what is exhausted goes first, alone: order needs it out of the way. */
  function takeGroup(
    queue: number,
    command: ClaimMessages,
    { groupId, sequence: head }: GroupHead,
    { messages, exhausted }: Claimed,
    limit: number,
  ): void {
    const { nowMs, receiveCountMax = Number.POSITIVE_INFINITY } = command;
    const exhaustedBefore = exhausted.length;
    const changed: MessageState[] = [];
    let taken = 0;
    for (let at = head; at > 0 && taken < limit; at = groups.next(at)) {
      const row = rows.load(at);
      const { visibleAtMs, receiveCount } = row;
      if (visibleAtMs > nowMs) break;
      const counted = receiveCount < receiveCountMax;
      if (counted && exhausted.length > exhaustedBefore) break;
      if (!counted && (taken > 0 || exhausted.length >= exhaustedMax)) break;
      (counted ? messages : exhausted).push(rows.take(queue, row, lanes.fifo, command, counted));
      changed.push({ lane: lanes.fifo, groupId, visibleAtMs, receiveCount });
      if (counted) taken++;
    }
    groups.changed(queue, changed);
  }

  return {
    claim(queue, command, count) {
      const { nowMs } = command;
      const claimed: Claimed = { messages: [], exhausted: [] };
      let last: GroupHead | undefined;
      while (claimed.messages.length < count && claimed.exhausted.length < exhaustedMax) {
        // Each group is looked at once: a snapshot in order, continued after its last one.
        const heads = groups.ready(queue, nowMs, last, count);
        for (const head of heads) {
          const limit = count - claimed.messages.length;
          if (limit > 0) takeGroup(queue, command, head, claimed, limit);
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
  const read = prepare<HeldState>(
    database,
    `SELECT claim_id AS claimId, visible_at_ms AS visibleAtMs FROM message_states
      WHERE sequence = ?`,
  );
  const hide = prepare(database, "UPDATE message_states SET visible_at_ms = ? WHERE sequence = ?");

  function isUntouched(attempt: Attempt): boolean {
    return attempt.sequences.every((sequence) => {
      const state = read.get(sequence);
      return state?.claimId === attempt.claimId && state.visibleAtMs === attempt.visibleAtMs;
    });
  }

  function hideAnew(
    queue: number,
    { visibleAgainMs }: ClaimMessages,
    sequence: number,
  ): ClaimedMessage {
    const row = rows.load(sequence);
    const { groupId, visibleAtMs, receiveCount } = row;
    const state: MessageState = { lane: lanes.fifo, groupId, visibleAtMs, receiveCount };
    hide.run(visibleAgainMs, sequence);
    tallies.note(queue, state, -1);
    tallies.note(queue, { ...state, visibleAtMs: visibleAgainMs }, 1);
    groups.changed(queue, [state]);
    return row;
  }

  return (queue, command) => {
    const attempt = attempts.find(command);
    if (!attempt || !isUntouched(attempt)) return undefined;
    const messages = attempt.sequences.map((sequence) => hideAnew(queue, command, sequence));
    attempts.remember(command, attempt.claimId, messages);
    return { messages, exhausted: [], claimId: attempt.claimId };
  };
}
