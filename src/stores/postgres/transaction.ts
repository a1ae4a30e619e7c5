import type { Command, CommitAnswer, CommitRequest } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import type { Work } from "./act.ts";
import { DecidedOnOldState } from "./decided-on-old-state.ts";
import type { Ledger } from "./ledger.ts";
import { type Ground, isRecord, layGround, queuesOf } from "./prologue.ts";
import type { Queues } from "./queues.ts";
import { changeRecords } from "./records.ts";
import { phases } from "./runs.ts";
import type { Connection, Session } from "./session.ts";

export interface TransactionTools {
  readonly ledger: Ledger;
  readonly queues: Queues;
  readonly schema: string;
}

/** Carries out commits in one transaction: all of them, or none if it throws. */
export async function transact(
  connection: Connection,
  requests: readonly CommitRequest[],
  tools: TransactionTools,
): Promise<readonly CommitAnswer[]> {
  const { queues, schema, ledger } = tools;
  const named = requests.flatMap(({ commands }) => commands.flatMap(queuesOf));
  await queues.learn(connection, named);
  const begun = connection.run("BEGIN ISOLATION LEVEL READ COMMITTED");
  try {
    // Its failure is that of every statement after it.
    begun.catch(() => {});
    const ground = await layGround(connection, schema, requests, queues);
    await begun;
    const answers = requests.map((request) => staleAnswer(request, ground));
    const live = requests.filter((_, index) => answers[index] === undefined);
    const done = await carryOut(workOn(connection, queues, ground), live, ground, ledger);
    await connection.run("COMMIT");
    return requests.map((request, index) => {
      const answer = answers[index] ?? done.get(request);
      assert(answer, "every commit is answered");
      return answer;
    });
  } catch (error) {
    ledger.reload();
    if (connection.usable) await connection.run("ROLLBACK").catch(() => connection.destroy());
    if (error instanceof DecidedOnOldState && requests.length === 1) {
      return requests.map(({ decidedUnder }) => ({ status: "stale", versions: decidedUnder }));
    }
    throw error;
  }
}

/** Something of the configuration moved on since the decision: the present versions. */
function staleAnswer(
  { decidedUnder }: CommitRequest,
  { versions }: Ground,
): CommitAnswer | undefined {
  const present = decidedUnder.map(({ accountId }) => ({
    accountId,
    version: versions.get(accountId) ?? 0,
  }));
  const newer = present.some((now, index) => {
    const decided = decidedUnder[index]?.version ?? 0;
    assert(decided <= now.version, "nobody decides under a version that does not exist yet");
    return now.version > decided;
  });
  return newer ? { status: "stale", versions: present } : undefined;
}

type Answers = ReadonlyMap<CommitRequest, CommitAnswer>;

async function carryOut(
  work: Work,
  requests: readonly CommitRequest[],
  ground: Ground,
  ledger: Ledger,
): Promise<Answers> {
  const [request] = requests;
  if (request === undefined) return new Map();
  return requests.length === 1
    ? new Map([[request, await carryOutOne(work, request, ground, ledger)]])
    : carryOutTogether(work, requests, ledger);
}

/** Data keys first, since bodies name them; records last, since nothing else needs them. */
async function carryOutOne(
  work: Work,
  { commands }: CommitRequest,
  { versions }: Ground,
  ledger: Ledger,
): Promise<CommitAnswer> {
  const results: unknown[] = commands.map(() => undefined);
  const perform = async (command: Command, index: number) => {
    [results[index]] = await ledger.perform(work, command.kind, [command]);
  };
  const numbered = commands.map((command, index) => ({ command, index }));
  const kindOf = (kinds: readonly string[]) =>
    numbered.filter(({ command }) => kinds.includes(command.kind));
  const [first, last] = [["data-key.put"], ["audit.append"]];
  const rest = numbered.filter(
    ({ command }) => !isRecord(command) && ![...first, ...last].includes(command.kind),
  );
  for (const { command, index } of [...kindOf(first), ...rest]) await perform(command, index);
  const records = commands.filter(isRecord);
  const changed = records.length === 0 ? [] : await changeRecords(work, records, versions);
  for (const { command, index } of kindOf(last)) await perform(command, index);
  return { status: "done", results, versions: changed };
}

/** Kind by kind: the commands of all requests in one go. */
async function carryOutTogether(
  work: Work,
  requests: readonly CommitRequest[],
  ledger: Ledger,
): Promise<Answers> {
  const results = requests.map(({ commands }) => commands.map((): unknown => undefined));
  for (const kind of phases) {
    const places = requests.flatMap(({ commands }, request) =>
      commands.flatMap((command, index) =>
        command.kind === kind ? [{ command, request, index }] : [],
      ),
    );
    if (places.length === 0) continue;
    const answers = await ledger.perform(
      work,
      kind,
      places.map(({ command }) => command),
    );
    places.forEach(({ request, index }, at) => {
      const ofRequest = results[request];
      if (ofRequest) ofRequest[index] = answers[at];
    });
  }
  return new Map(
    requests.map((request, index) => [
      request,
      { status: "done", results: results[index] ?? [], versions: [] },
    ]),
  );
}

/** A session with the queues that can be used in it. */
export function workOn(session: Session, queues: Queues, { alive }: Pick<Ground, "alive">): Work {
  const gone = new Set<number>();
  return {
    all: (sql, ...values) => session.all(sql, ...values),
    run: (sql, ...values) => session.run(sql, ...values),
    numberOf: (identity: QueueIdentity) => queues.numberOf(identity),
    queue(identity) {
      const number = queues.numberOf(identity);
      return alive.has(number) && !gone.has(number) ? number : undefined;
    },
    discarded: (identity) => void gone.add(queues.numberOf(identity)),
  };
}
