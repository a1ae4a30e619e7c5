import type { DatabaseSync } from "node:sqlite";
import type { CommitRequest, Query } from "../../kernel/command.ts";
import { Fault } from "../../kernel/errors.ts";
import { faultOf, isFatal } from "./failure.ts";
import { createLedger } from "./ledger.ts";

/** What a client asks of the store thread, and what it is told; in the same order. */
export type Asked =
  | { readonly kind: "commit"; readonly request: CommitRequest }
  | { readonly kind: "query"; readonly query: Query };

export type Told =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "fault"; readonly fault: string; readonly message: string }
  | { readonly kind: "bug"; readonly message: string; readonly stack: string };

/** Carries out what was asked together. After a fatal fault it only repeats that fault. */
export type CarryOutGroup = (group: readonly Asked[]) => Told[];

/**
 * Group commit: everything that was asked together is one transaction and one fsync. Queries run in
 * their place and see what came before them. When the transaction as a whole fails (full disk), no
 * commit of the group happened, and the queries are answered from what was there before.
 *
 * A commit that fails by itself is a bug of ours and rare: only then the group is run again with a
 * savepoint around each commit, so that the one leaves nothing and hurts nobody. Savepoints from
 * the start would cost a third of an insert (each copies the pages that it touches).
 */
export function createGroupCommit(database: DatabaseSync): CarryOutGroup {
  const ledger = createLedger(database);
  const begin = database.prepare("BEGIN");
  const commit = database.prepare("COMMIT");
  const savepoint = database.prepare("SAVEPOINT request");
  const release = database.prepare("RELEASE request");
  const undo = database.prepare("ROLLBACK TO request");
  let broken: Told | undefined;

  function carryOut(request: CommitRequest): Told {
    return { kind: "value", value: ledger.carryOut(request) };
  }

  function carryOutAlone(request: CommitRequest): Told {
    savepoint.run();
    try {
      const answer = carryOut(request);
      ledger.settle();
      release.run();
      return answer;
    } catch (error) {
      if (concernsAll(error)) throw error;
      undo.run();
      release.run();
      ledger.reload();
      return told(error);
    }
  }

  /** The disk's trouble is everybody's, and SQLite may have ended the transaction by itself. */
  function concernsAll(error: unknown): boolean {
    return faultOf(error) instanceof Fault || !database.isTransaction;
  }

  function answer(query: Query): Told {
    try {
      return { kind: "value", value: ledger.answer(query) };
    } catch (error) {
      return told(faultOf(error));
    }
  }

  function inTransaction(group: readonly Asked[], act: (request: CommitRequest) => Told): Told[] {
    begin.run();
    if (group.some((asked) => asked.kind === "commit")) ledger.begin();
    const answers = group.map((asked) => {
      if (asked.kind === "commit") return act(asked.request);
      ledger.settle();
      return answer(asked.query);
    });
    ledger.settle();
    commit.run();
    return answers;
  }

  function rollBack(): void {
    if (database.isTransaction) database.exec("ROLLBACK");
    ledger.reload();
  }

  function quicklyOrCarefully(group: readonly Asked[]): Told[] {
    try {
      return inTransaction(group, carryOut);
    } catch (error) {
      if (concernsAll(error)) throw error;
      rollBack();
      return inTransaction(group, carryOutAlone);
    }
  }

  return (group) => {
    const failed = broken;
    if (failed !== undefined) return group.map(() => failed);
    try {
      return quicklyOrCarefully(group);
    } catch (error) {
      rollBack();
      const failure = told(faultOf(error));
      if (failure.kind === "fault" && isFatal(failure.fault)) broken = failure;
      return group.map((asked) =>
        asked.kind === "query" && broken === undefined ? answer(asked.query) : failure,
      );
    }
  };
}

function told(failure: unknown): Told {
  if (failure instanceof Fault) {
    return { kind: "fault", fault: failure.kind, message: failure.message };
  }
  if (!(failure instanceof Error)) return { kind: "bug", message: String(failure), stack: "" };
  return { kind: "bug", message: failure.message, stack: failure.stack ?? "" };
}
