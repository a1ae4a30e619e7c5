import type { ClaimedMessage } from "./store.ts";

/** Sealed bytes that one claim aims at: ten messages of 256 KiB, and what sealing adds to them. */
const claimBytesMax = 3 * 1024 * 1024;
/** Queues of which something is known; then what is known is forgotten. */
const queuesMax = 10_000;
/** AWS: messages of one receive. */
const countMax = 10;
/** While the first claim of a queue is under way, all others ask for so many. */
const countMeanwhile = 2;

/**
 * How many messages a claim asks for. An answer of ten times 1 MiB is held several times, claimed,
 * as texts and in the socket, and many consumers at a time would take gigabytes. What lies in a
 * queue is known only once it is claimed, so a claim goes by the one before it.
 *
 * AWS?: fewer messages than asked for is always an answer; nobody documents how many bytes one has.
 */
export interface ClaimSizes {
  countFor(queueId: string, wished: number): number;
  /** What a claim found, also if that is nothing. */
  saw(queueId: string, messages: readonly Pick<ClaimedMessage, "bytes">[]): void;
}

export function createClaimSizes(): ClaimSizes {
  const counts = new Map<string, number>();
  const firstLooks = new Set<string>();

  function most(queueId: string): number {
    const known = counts.get(queueId);
    if (known !== undefined) return known;
    if (firstLooks.has(queueId)) return countMeanwhile;
    firstLooks.add(queueId);
    return countMax;
  }

  return {
    countFor: (queueId, wished) => Math.min(wished, most(queueId)),
    saw(queueId, messages) {
      if (firstLooks.size > 0) firstLooks.delete(queueId);
      if (messages.length === 0) return;
      const bytes = messages.reduce((sum, message) => sum + message.bytes.length, 0);
      const count = Math.max(1, Math.floor((claimBytesMax * messages.length) / bytes));
      if (counts.size >= queuesMax && !counts.has(queueId)) counts.clear();
      counts.set(queueId, Math.min(count, countMax));
    },
  };
}
