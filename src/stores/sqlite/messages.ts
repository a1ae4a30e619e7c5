import type { DatabaseSync } from "node:sqlite";
import type { ForgetFifo, SqsCommand, SqsQuery } from "../../services/sqs/store.ts";
import type { Acts } from "./act.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import { claimActs } from "./claims.ts";
import type { DataKeys } from "./data-keys.ts";
import { createDeduplications, type Deduplications } from "./deduplications.ts";
import { createDiscarded, type Discarded } from "./discarded.ts";
import { createFresh } from "./fresh.ts";
import { createGroups } from "./groups.ts";
import { heldActs } from "./held.ts";
import { measureActs } from "./measures.ts";
import { moveActs } from "./moves.ts";
import { placementActs } from "./placement.ts";
import { createQueueNumbers, type QueueNumbers } from "./queue-numbers.ts";
import { createRemoval } from "./removal.ts";
import { scopeActs } from "./scopes.ts";
import { sealedUnderActs } from "./sealed-under.ts";
import type { Sequence } from "./sequence.ts";
import { createSharedBodies } from "./shared-bodies.ts";
import { createSpent } from "./spent.ts";
import { createTallies } from "./tallies.ts";

export interface Messages {
  readonly acts: Acts<SqsCommand | SqsQuery>;
  /** Call first in each transaction. */
  begin(): void;
  /** Something was rolled back: what is remembered of it goes. */
  reload(): void;
}

export function createMessages(
  database: DatabaseSync,
  sequence: Sequence,
  dataKeys: DataKeys,
): Messages {
  const deduplications = createDeduplications(database);
  const numbers = createQueueNumbers(database, deduplications.has);
  const tallies = createTallies(database);
  const spent = createSpent(database);
  const discarded = createDiscarded(database, { numbers, spent, tallies });
  const groups = createGroups(database);
  const attempts = createAttempts(database, numbers);
  const removal = createRemoval(database, { numbers, spent, tallies, groups });
  const fresh = createFresh(database);
  const sharedBodies = createSharedBodies(database);
  const placement = {
    ...{ sequence, numbers, dataKeys, tallies, groups, deduplications, fresh, sharedBodies },
  };
  const acts: Acts<SqsCommand | SqsQuery> = {
    ...placementActs(database, placement),
    ...moveActs(database, placement),
    ...removal.acts,
    ...claimActs(database, { numbers, dataKeys, tallies, groups, attempts, removal, fresh }),
    ...heldActs(database, { numbers, tallies, groups }),
    ...forgetActs(numbers, deduplications, attempts),
    ...discarded.acts,
    ...measureActs(database, numbers, tallies, groups, fresh),
    ...sealedUnderActs(database),
    ...scopeActs(database),
  };
  return {
    acts: guarded(acts, discarded),
    begin() {
      deduplications.begin();
      sharedBodies.begin();
    },
    reload() {
      sharedBodies.begin();
      tallies.clear();
      numbers.reload();
      fresh.reload();
      deduplications.reload();
      spent.reload();
      discarded.reload();
    },
  };
}

function forgetActs(
  numbers: QueueNumbers,
  deduplications: Deduplications,
  attempts: Attempts,
): Acts<ForgetFifo> {
  return {
    "sqs.forget-fifo": ({ beforeMs, rowsMax }) => {
      const forgotten = [
        deduplications.forget(beforeMs, rowsMax),
        attempts.forget(beforeMs, rowsMax),
      ];
      for (const number of new Set(forgotten.flat())) numbers.release(number);
      return { more: forgotten.some(({ length }) => length === rowsMax) };
    },
  };
}

const noMessages = { visible: 0, inFlight: 0, delayed: 0 };
const nothing = {
  oldestSentMs: undefined,
  groupsInFlight: 0,
  noisyGroups: 0,
  quiet: { ...noMessages, oldestSentMs: undefined },
};

/** A discarded queue is empty, and stays so, for everything but the sweep. */
function guarded(
  acts: Acts<SqsCommand | SqsQuery>,
  discarded: Discarded,
): Acts<SqsCommand | SqsQuery> {
  return {
    ...acts,
    "sqs.insert": (it) => (discarded.has(it.queue) ? undefined : acts["sqs.insert"](it)),
    "sqs.claim": (it) =>
      discarded.has(it.queue)
        ? { messages: [], exhausted: [], dataKeys: [], overLimit: false }
        : acts["sqs.claim"](it),
    "sqs.delete": (it) =>
      discarded.has(it.queue) ? it.messages.map(() => "absent") : acts["sqs.delete"](it),
    "sqs.visibility": (it) =>
      discarded.has(it.queue) ? it.changes.map(() => "absent") : acts["sqs.visibility"](it),
    // Into a discarded queue would be a loss: the message stays where it is and comes again.
    "sqs.move": (it) =>
      discarded.has(it.from) || discarded.has(it.to) ? { moved: 0 } : acts["sqs.move"](it),
    "sqs.counts": (it) => (discarded.has(it.queue) ? noMessages : acts["sqs.counts"](it)),
    "sqs.measure": (it) =>
      discarded.has(it.queue) ? { ...noMessages, ...nothing } : acts["sqs.measure"](it),
    "sqs.next-visible": (it) =>
      discarded.has(it.queue) ? undefined : acts["sqs.next-visible"](it),
  };
}
