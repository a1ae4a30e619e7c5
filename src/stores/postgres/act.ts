import type { ResultOf } from "../../kernel/command.ts";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import type { Session } from "./session.ts";

/** The transaction in which acts are carried out. */
export interface Work extends Session {
  /** Number of a queue's life; undefined: it was discarded, and nothing can be done with it. */
  queue(identity: QueueIdentity): number | undefined;
  /** Also of a discarded one. */
  numberOf(identity: QueueIdentity): number;
  /** The queue's life ended in this transaction. */
  discarded(identity: QueueIdentity): void;
}

/**
 * What a store does for each kind of command or query, all of one kind at once: one answer for
 * each, in their order. INVARIANT: an act runs inside a transaction that somebody else opened and
 * ends.
 */
export type Acts<U extends { readonly kind: string }> = {
  readonly [K in U["kind"]]: (
    work: Work,
    acts: readonly Extract<U, { kind: K }>[],
  ) => Promise<readonly ResultOf<Extract<U, { kind: K }>>[]>;
};

/** One after another: each sees what the one before did. */
export function each<C, R>(
  one: (work: Work, act: C) => Promise<R>,
): (work: Work, acts: readonly C[]) => Promise<R[]> {
  return async (work, acts) => {
    const results: R[] = [];
    for (const act of acts) results.push(await one(work, act));
    return results;
  };
}

/**
 * Acts whose statements may go out together. All have come to their end when this does, also when
 * one fails: nothing of them runs on behind the transaction's back.
 */
export function together<C, R>(
  one: (work: Work, act: C) => Promise<R>,
): (work: Work, acts: readonly C[]) => Promise<R[]> {
  return (work, acts) => allDone(acts.map((act) => one(work, act)));
}

/** What all of them answer, once all have come to their end; else the first failure. */
export async function allDone<const T extends readonly unknown[]>(
  promises: {
    readonly [K in keyof T]: Promise<T[K]>;
  },
): Promise<{ -readonly [K in keyof T]: T[K] }> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.filter((result) => result.status === "rejected");
  const cause = failed.find(({ reason }) => !isConsequence(reason)) ?? failed[0];
  if (cause !== undefined) throw cause.reason;
  const values = settled.map((result) =>
    result.status === "fulfilled" ? result.value : undefined,
  );
  // One value for each promise, in order.
  return values as { -readonly [K in keyof T]: T[K] };
}

/** in_failed_sql_transaction: another statement failed before this one. */
function isConsequence(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "25P02";
}
