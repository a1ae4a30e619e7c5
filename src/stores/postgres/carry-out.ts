import { setTimeout as pause } from "node:timers/promises";
import type { CommitAnswer, CommitRequest } from "../../kernel/command.ts";
import { faultOf, isContention } from "./failure.ts";
import { queuesOf } from "./prologue.ts";
import type { AskedCommit, AskedQuery, Run } from "./runs.ts";
import type { Connection } from "./session.ts";
import { type TransactionTools, transact, workOn } from "./transaction.ts";

/** Times that a transaction is tried when others stand in its way. */
const attemptsMax = 6;
const pauseMs = 5;

/** The connections of a store, made again after they were lost. */
export interface Connections {
  /** For what changes something: one, so that all happens in the order in which it was asked. */
  lane(): Promise<Connection>;
  /** For questions that may take long. Give it back by calling the second member. */
  borrow(): Promise<readonly [Connection, () => void]>;
}

/** Questions that may look at much: they do not hold up what was asked after them. */
const slowKinds: ReadonlySet<string> = new Set([
  "audit.chain",
  "audit.lookup",
  "audit.prunable",
  "sns.archive.read",
  "sns.undelivered.list",
  "sqs.measure",
  "trail.waiting",
]);

/**
 * Carries out a run and tells everybody. What fails as a whole because of one commit (a bug of
 * ours) is done again with each commit in a transaction of its own: the one leaves nothing and
 * hurts nobody. Answers slow questions later; the promise is for everything else.
 */
export async function carryOutRun(
  run: Run,
  connections: Connections,
  tools: TransactionTools,
): Promise<void> {
  const { commits, queries } = run;
  if (commits.length > 0) await commitAll(commits, connections, tools);
  const slow = queries.filter(({ query }) => slowKinds.has(query.kind));
  const quick = queries.filter(({ query }) => !slowKinds.has(query.kind));
  for (const asked of slow) void answerSlowly(asked, connections, tools);
  if (quick.length === 0) return;
  try {
    await answerAll(quick, await connections.lane(), tools);
  } catch (error) {
    for (const { asker } of quick) asker.reject(faultOf(error));
  }
}

async function commitAll(
  commits: readonly AskedCommit[],
  connections: Connections,
  tools: TransactionTools,
): Promise<void> {
  try {
    const requests = commits.map(({ request }) => request);
    const answers = await withAttempts(requests, connections, tools);
    commits.forEach(({ asker }, index) => {
      asker.resolve(answers[index]);
    });
  } catch (error) {
    const failure = faultOf(error);
    const alone = failure === error && commits.length > 1 && !isFault(failure);
    if (!alone) for (const { asker } of commits) asker.reject(failure);
    else for (const commit of commits) await commitAll([commit], connections, tools);
  }
}

function isFault(error: unknown): boolean {
  return error instanceof Error && error.name === "Fault";
}

async function withAttempts(
  requests: readonly CommitRequest[],
  connections: Connections,
  tools: TransactionTools,
): Promise<readonly CommitAnswer[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transact(await connections.lane(), requests, tools);
    } catch (error) {
      if (!isContention(error) || attempt === attemptsMax) throw error;
      await pause(pauseMs * attempt);
    }
  }
}

async function answerAll(
  queries: readonly AskedQuery[],
  connection: Connection,
  { ledger, queues }: TransactionTools,
): Promise<void> {
  const named = queries.flatMap(({ query }) => queuesOf(query));
  if (named.length > 0) await queues.learn(connection, named);
  const alive = named.length > 0 ? await queues.alive(connection, named) : new Set<number>();
  const work = workOn(connection, queues, { alive });
  await Promise.all(
    queries.map(async ({ query, asker }) => {
      try {
        const [answer] = await ledger.perform(work, query.kind, [query]);
        asker.resolve(answer);
      } catch (error) {
        asker.reject(faultOf(error));
      }
    }),
  );
}

async function answerSlowly(
  asked: AskedQuery,
  connections: Connections,
  tools: TransactionTools,
): Promise<void> {
  try {
    const [connection, giveBack] = await connections.borrow();
    try {
      await answerAll([asked], connection, tools);
    } finally {
      giveBack();
    }
  } catch (error) {
    asked.asker.reject(faultOf(error));
  }
}
