import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../kernel/errors.ts";
import type { StoredDataKey } from "../../kernel/sealed.ts";
import type {
  ClaimedMessage,
  ClaimMessages,
  ClaimResult,
  QueueIdentity,
} from "../../services/sqs/store.ts";
import type { Acts } from "./act.ts";
import type { Attempts } from "./attempts.ts";
import { createClaimRows } from "./claim-rows.ts";
import type { DataKeys } from "./data-keys.ts";
import { createFifoClaims } from "./fifo-claim.ts";
import type { Groups } from "./groups.ts";
import type { Removal } from "./removal.ts";
import { createStandardClaim } from "./standard-claim.ts";
import { queueKey, type Tallies } from "./tallies.ts";

export interface ClaimTools {
  readonly dataKeys: DataKeys;
  readonly tallies: Tallies;
  readonly groups: Groups;
  readonly attempts: Attempts;
  readonly removal: Removal;
}

/** Rows beyond retention that a claim takes out of its way at most. */
const expiredMax = 1000;
/** How often the claims of a standard queue look for them. */
const expireIntervalMs = 1000;
/** Queues whose last look is remembered. */
const lookedMax = 100_000;

export function claimActs(database: DatabaseSync, tools: ClaimTools): Acts<ClaimMessages> {
  const { dataKeys, tallies, groups } = tools;
  const rows = createClaimRows(database, tallies);
  const standard = createStandardClaim(database, rows, groups);
  const fifo = createFifoClaims(database, { ...tools, rows });
  const removeExpired = createRemoveExpired(tools.removal);

  function claim(command: ClaimMessages): Omit<ClaimResult, "dataKeys"> {
    const { queue, nowMs, inFlightMax } = command;
    removeExpired(command);
    if (command.fifo) {
      const again = fifo.repeat(command);
      if (again) {
        const { messages, exhausted, claimId: repeatedClaimId } = again;
        return { messages, exhausted, repeatedClaimId, overLimit: false };
      }
    }
    const { inFlight, tenants } = tallies.hidden(queue, nowMs);
    const room = inFlightMax - inFlight;
    if (room <= 0) return { messages: [], exhausted: [], overLimit: true };
    const count = Math.min(command.count, room);
    const claimed = command.fifo
      ? fifo.claim(command, count)
      : standard(command, count, tenants, inFlight);
    return { ...claimed, overLimit: false };
  }

  return {
    "sqs.claim": (command) => {
      const claimed = claim(command);
      const all = [...claimed.messages, ...claimed.exhausted];
      return { ...claimed, dataKeys: keysOf(command.queue, all, dataKeys) };
    },
  };
}

/**
 * Takes messages beyond retention away before claims have to step over many of them; a few are left
 * to the sweep. In a FIFO queue always: one that is held would lock its group.
 */
function createRemoveExpired(removal: Removal): (command: ClaimMessages) => void {
  const lookedMs = new Map<string, number>();
  return ({ queue, nowMs, retainedSinceMs, fifo }) => {
    if (fifo) {
      removal.expire(queue, retainedSinceMs, expiredMax);
      return;
    }
    const key = queueKey(queue);
    const before = lookedMs.get(key);
    if (before !== undefined && Math.abs(nowMs - before) < expireIntervalMs) return;
    if (lookedMs.size >= lookedMax) lookedMs.clear();
    lookedMs.set(key, nowMs);
    removal.expire(queue, retainedSinceMs, expiredMax, expiredMax);
  };
}

function keysOf(
  { accountId, region }: QueueIdentity,
  messages: readonly ClaimedMessage[],
  dataKeys: DataKeys,
): readonly StoredDataKey[] {
  const ids = new Set(messages.map((message) => message.dataKeyId));
  return Array.from(ids, (id) => {
    const key = dataKeys.find(accountId, region, id);
    assert(key, "a foreign key holds the data key of a message");
    return key;
  });
}
