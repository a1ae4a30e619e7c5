import type { StoredDataKey } from "../../kernel/sealed.ts";
import type { ClaimedMessage, ClaimMessages, ClaimResult } from "../../services/sqs/store.ts";
import { type Acts, allDone, type Work } from "./act.ts";
import type { Claimed } from "./claim-rows.ts";
import type { DataKeys } from "./data-keys.ts";
import { claimFifo } from "./fifo-claim.ts";
import { createInFlight, type InFlight } from "./in-flight.ts";
import { queueKey } from "./queues.ts";
import { expire } from "./removal.ts";
import { claimStandard } from "./standard-claim.ts";
import type { Tenants } from "./tenants.ts";

/** Rows beyond retention that a claim takes out of its way at most. */
const expiredMax = 1000;
/** How often the claims of a standard queue look for them. */
const expireIntervalMs = 1000;
/** Queues whose last look is remembered. */
const lookedMax = 100_000;

/** Something of a claim that is still without its data keys. */
type Found = Claimed & Pick<ClaimResult, "repeatedClaimId" | "overLimit">;

const nothing: Found = { messages: [], exhausted: [], overLimit: false };

/**
 * Claims that arrived together go out together: messages locked by others are skipped, so that no
 * claim waits for another process.
 */
export function claimActs(dataKeys: DataKeys, tenants: Tenants): Acts<ClaimMessages> {
  const inFlight = createInFlight();
  const lookedMs = new Map<number, number>();

  function looksForExpired(queue: number, { nowMs, fifo }: ClaimMessages): boolean {
    if (fifo) return true;
    const before = lookedMs.get(queue);
    if (before !== undefined && Math.abs(nowMs - before) < expireIntervalMs) return false;
    if (lookedMs.size >= lookedMax) lookedMs.clear();
    lookedMs.set(queue, nowMs);
    return true;
  }

  /**
   * Takes messages beyond retention away before claims have to step over many of them; a few are
   * left to the sweep. In a FIFO queue always: one that is held would lock its group.
   */
  async function removeExpired(work: Work, queue: number, command: ClaimMessages): Promise<void> {
    const { retainedSinceMs, fifo } = command;
    if (!looksForExpired(queue, command)) return;
    await expire(work, queue, retainedSinceMs, expiredMax, fifo ? 1 : expiredMax);
  }

  async function claim(work: Work, command: ClaimMessages): Promise<Found> {
    const queue = work.queue(command.queue);
    if (queue === undefined) return nothing;
    await removeExpired(work, queue, command);
    return claimFrom(work, queue, command, { inFlight, tenants });
  }

  return {
    "sqs.claim": async (work, commands) => {
      const found = await inTurn(work, commands, claim, (command) => {
        const queue = work.queue(command.queue);
        return queue !== undefined && !command.fifo && inFlight.isFar(queue, command);
      });
      const places = commands.flatMap(({ queue: { accountId, region } }, index) =>
        all(found[index]).map(({ dataKeyId }) => ({ accountId, region, id: dataKeyId })),
      );
      const keys = await dataKeys.find(work, places);
      return commands.map((command, index) => {
        const one = found[index] ?? nothing;
        return { ...one, dataKeys: keysOf(command, all(one), keys) };
      });
    },
  };
}

type Claim = (work: Work, command: ClaimMessages) => Promise<Found>;

/**
 * FIFO claims come one after another, and so do those of one queue where each must know what the
 * one before took; all others go out together.
 */
async function inTurn(
  work: Work,
  commands: readonly ClaimMessages[],
  claim: Claim,
  independent: (command: ClaimMessages) => boolean,
): Promise<Found[]> {
  const found: Found[] = commands.map(() => nothing);
  const byQueue = Map.groupBy(commands.keys(), (index) => laneOf(commands[index]));
  const claimOne = async (index: number) => {
    const command = commands[index];
    if (command) found[index] = await claim(work, command);
  };
  await allDone(
    Array.from(byQueue.values(), async (indexes) => {
      for (let at = 0; at < indexes.length; at += 1) {
        const command = commands[indexes[at] ?? 0];
        if (command && independent(command)) {
          await allDone(indexes.slice(at).map(claimOne));
          return;
        }
        await claimOne(indexes[at] ?? 0);
      }
    }),
  );
  return found;
}

function laneOf(command: ClaimMessages | undefined): string {
  return command === undefined || command.fifo ? "fifo" : queueKey(command.queue);
}

async function claimFrom(
  work: Work,
  queue: number,
  command: ClaimMessages,
  { inFlight, tenants }: { inFlight: InFlight; tenants: Tenants },
): Promise<Found> {
  if (command.fifo) return claimFifo(work, queue, command, inFlight);
  const room = await inFlight.room(work, queue, command);
  if (room <= 0) return { ...nothing, overLimit: true };
  const claimed = await claimStandard(work, queue, command, Math.min(command.count, room), tenants);
  inFlight.took(queue, claimed.messages.length + claimed.exhausted.length);
  return { ...claimed, overLimit: false };
}

function all(found: Claimed | undefined): readonly ClaimedMessage[] {
  return found === undefined ? [] : [...found.messages, ...found.exhausted];
}

function keysOf(
  { queue: { accountId, region } }: ClaimMessages,
  messages: readonly ClaimedMessage[],
  keys: readonly StoredDataKey[],
): readonly StoredDataKey[] {
  const ids = new Set(messages.map(({ dataKeyId }) => dataKeyId));
  return keys.filter(
    (key) => ids.has(key.id) && key.accountId === accountId && key.region === region,
  );
}
