import type { Command, CommitRequest, Query } from "../../kernel/command.ts";

/** What a client asks of the store, and whom to tell. */
export type Asked =
  | { readonly kind: "commit"; readonly request: CommitRequest; readonly asker: Asker }
  | { readonly kind: "query"; readonly query: Query; readonly asker: Asker };
export type AskedCommit = Extract<Asked, { kind: "commit" }>;
export type AskedQuery = Extract<Asked, { kind: "query" }>;

export interface Asker {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Commits that become one transaction, and the questions that are answered after it. */
export interface Run {
  readonly commits: AskedCommit[];
  readonly queries: AskedQuery[];
}

/**
 * Kinds that are carried out together, in this order. All that is in a run was asked before
 * anything of it was answered, so whatever order it takes is one that could have been.
 */
export const phases = [
  "data-key.put",
  "sqs.insert",
  "sns.undelivered.put",
  "sns.undelivered.reschedule",
  "sns.undelivered.remove",
  "sqs.unclaim",
  "sqs.visibility",
  "sqs.delete",
  "sqs.claim",
  // Last: the heads of chains are locked until the commit.
  "audit.append",
] as const;

const ranks: ReadonlyMap<string, number> = new Map(phases.map((kind, index) => [kind, index]));
/** Their place among the other commands of an act makes no difference. */
const anywhere: ReadonlySet<string> = new Set(["data-key.put", "audit.append"]);

/**
 * Parts what was asked into runs: neighbours that can be carried out kind by kind share one, every
 * other commit has one of its own. Configuration changes are among those: what was asked before one
 * does not see it.
 */
export function runsOf(group: readonly Asked[]): readonly Run[] {
  const runs: Run[] = [];
  let open: Run | undefined;
  for (const asked of group) {
    if (asked.kind === "commit" && !sharesRun(asked.request.commands)) {
      runs.push({ commits: [asked], queries: [] });
      open = undefined;
      continue;
    }
    if (open === undefined) {
      open = { commits: [], queries: [] };
      runs.push(open);
    }
    if (asked.kind === "commit") open.commits.push(asked);
    else open.queries.push(asked);
  }
  return runs;
}

function sharesRun(commands: readonly Command[]): boolean {
  let reached = 0;
  for (const { kind } of commands) {
    const rank = ranks.get(kind);
    if (rank === undefined) return false;
    if (anywhere.has(kind)) continue;
    if (rank < reached) return false;
    reached = rank;
  }
  return true;
}
