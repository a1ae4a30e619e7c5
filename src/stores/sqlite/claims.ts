import type { DatabaseSync } from "node:sqlite";
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
import type { Fresh } from "./fresh.ts";
import type { Groups } from "./groups.ts";
import type { QueueNumbers } from "./queue-numbers.ts";
import type { Removal } from "./removal.ts";
import { createStandardClaim } from "./standard-claim.ts";
import type { Tallies } from "./tallies.ts";

export interface ClaimTools {
  readonly numbers: QueueNumbers;
  readonly dataKeys: DataKeys;
  readonly tallies: Tallies;
  readonly groups: Groups;
  readonly attempts: Attempts;
  readonly removal: Removal;
  readonly fresh: Fresh;
}

/** Rows beyond retention that a claim takes out of its way at most. */
const expiredMax = 1000;
/** How often the claims of a standard queue look for them. */
const expireIntervalMs = 1000;
/** Queues whose last look is remembered. */
const lookedMax = 100_000;

export function claimActs(database: DatabaseSync, tools: ClaimTools): Acts<ClaimMessages> {
  const { numbers, dataKeys, tallies, groups } = tools;
  const rows = createClaimRows(database, dataKeys, tallies);
  const standard = createStandardClaim(database, rows, groups, tools.fresh);
  const fifo = createFifoClaims(database, { ...tools, rows });
  const removeExpired = createRemoveExpired(tools.removal);

  function claim(command: ClaimMessages): Omit<ClaimResult, "dataKeys"> {
    const { nowMs, inFlightMax } = command;
    const queue = numbers.find(command.queue);
    removeExpired(queue, command);
    if (command.fifo) {
      const again = fifo.repeat(queue, command);
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
      ? fifo.claim(queue, command, count)
      : standard(queue, command, count, tenants, inFlight);
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
function createRemoveExpired(removal: Removal): (queue: number, command: ClaimMessages) => void {
  const lookedMs = new Map<number, number>();
  return (queue, { nowMs, retainedSinceMs, fifo }) => {
    if (fifo) {
      removal.expire(queue, retainedSinceMs, expiredMax);
      return;
    }
    const before = lookedMs.get(queue);
    if (before !== undefined && Math.abs(nowMs - before) < expireIntervalMs) return;
    if (lookedMs.size >= lookedMax) lookedMs.clear();
    lookedMs.set(queue, nowMs);
    removal.expire(queue, retainedSinceMs, expiredMax, expiredMax);
  };
}

function keysOf(
  { accountId, region }: QueueIdentity,
  messages: readonly ClaimedMessage[],
  dataKeys: DataKeys,
): readonly StoredDataKey[] {
  const ids = new Set(messages.map((message) => message.dataKeyId));
  return Array.from(ids, (id) => dataKeys.withNumber(dataKeys.numberOf(accountId, region, id)));
}
