import type { Command } from "../../kernel/command.ts";
import type { RecordScope } from "../../kernel/records.ts";
import { type MoveRound, takeUpMoves } from "./move-messages.ts";
import type { SqsContext, SqsDependencies } from "./ports.ts";
import { queueOf } from "./queue.ts";
import { deletedQueueRecords, queueRecords, restMs } from "./records.ts";
import { rememberMs } from "./send.ts";
import type { ExpireMessages, ForgetFifo, ListQueueScopes, SweepDiscarded } from "./store.ts";

/** Work that becomes due by itself. Nothing that a user sees depends on when it runs. */
export interface SqsJobs {
  /** Begins to carry out the move tasks, also after rounds failed. One process at a time. */
  takeUpMoves(): MoveRound;
  /** Removes messages that outlived their queue's retention; receives skip them already. */
  expireMessages(): Promise<void>;
  /** Removes what deleted and purged queues left, and sends and receives too old to matter. */
  sweepQueues(): Promise<void>;
}

/** Small acts, so that requests never wait long for one. */
const rowsMax = 500;
const forgetRowsMax = 2000;

export function createJobs(deps: SqsContext): SqsJobs {
  return {
    takeUpMoves: () => takeUpMoves(deps),
    expireMessages: () => eachScope(deps, (scope) => expireScope(deps, scope)),
    async sweepQueues() {
      const sweep: SweepDiscarded = { kind: "sqs.sweep", rowsMax };
      while (await removedMore(deps, sweep));
      const beforeMs = deps.clock.now() - rememberMs;
      const forget: ForgetFifo = { kind: "sqs.forget-fifo", beforeMs, rowsMax: forgetRowsMax };
      while (await removedMore(deps, forget));
      await eachScope(deps, (scope) => forgetDeleted(deps, scope));
    },
  };
}

async function eachScope(
  deps: SqsDependencies,
  act: (scope: RecordScope) => Promise<void>,
): Promise<void> {
  const query: ListQueueScopes = { kind: "sqs.scopes" };
  for (const scope of await deps.store.query(query)) await act(scope);
}

async function expireScope(deps: SqsDependencies, scope: RecordScope): Promise<void> {
  for (const { id, value } of await queueRecords.list(deps.state.view(), scope)) {
    const { identity: queue, retentionMs } = queueOf(value, scope, id);
    const sentBeforeMs = deps.clock.now() - retentionMs;
    const expire: ExpireMessages = { kind: "sqs.expire", queue, sentBeforeMs, rowsMax };
    while (await removedMore(deps, expire));
  }
}

async function removedMore(
  deps: SqsDependencies,
  command: SweepDiscarded | ExpireMessages | ForgetFifo,
): Promise<boolean> {
  const [{ more }] = await deps.state.commit(undefined, [command]);
  return more;
}

/** Drops the memory of names that are free again. Whoever changed them meanwhile wins. */
async function forgetDeleted(deps: SqsDependencies, scope: RecordScope): Promise<void> {
  const view = deps.state.view();
  const freeSinceMs = deps.clock.now() - restMs;
  const free: Command[] = (await deletedQueueRecords.list(view, scope))
    .filter(({ value }) => value.deletedMs <= freeSinceMs)
    .map(({ id }) => deletedQueueRecords.remove(scope, id));
  if (free.length > 0) await deps.state.commit(view, free);
}
