import type { Command, CommitRequest, StoreRecordCommand } from "../../kernel/command.ts";
import type { QueueIdentity } from "../../services/sqs/store.ts";
import { allDone } from "./act.ts";
import { integers, texts } from "./columns.ts";
import { lockKey } from "./lock-key.ts";
import type { Queues } from "./queues.ts";
import { keyOf } from "./records.ts";
import type { Session } from "./session.ts";

/** What a transaction must know before anything is done in it. */
export interface Ground {
  /** Present versions of all accounts that are named, which stay so until the transaction ends. */
  readonly versions: ReadonlyMap<string, number>;
  /** Queues that can be used. */
  readonly alive: ReadonlySet<number>;
}

/**
 * Takes the locks of accounts and reads under them. Whoever changes configuration, or ends a queue,
 * has the account alone; everybody else shares it. The locks are in memory, in line, and cost no
 * write, so a send does not meet another one here.
 */
export async function layGround(
  session: Session,
  schema: string,
  requests: readonly CommitRequest[],
  queues: Queues,
): Promise<Ground> {
  const alone = new Map<string, boolean>();
  for (const { decidedUnder, commands } of requests) {
    for (const { accountId } of decidedUnder) share(alone, accountId, false);
    for (const command of commands) {
      if (isRecord(command)) share(alone, keyOf(command).accountId, true);
      for (const { accountId } of queuesOf(command)) {
        share(alone, accountId, command.kind === "sqs.discard");
      }
    }
  }
  const named = requests.flatMap(({ commands }) => commands.flatMap(queuesOf));
  const numbers = [...new Set(named.map((queue) => queues.numberOf(queue)))];
  const [, ground] = await allDone([
    lock(session, schema, alone),
    look(session, [...alone.keys()], numbers),
  ]);
  return ground;
}

/** Versions and queues by one statement: in each transaction, every one counts. */
async function look(
  session: Session,
  accounts: readonly string[],
  numbers: readonly number[],
): Promise<Ground> {
  if (accounts.length + numbers.length === 0) return { versions: new Map(), alive: new Set() };
  const rows = await session.all<{ accountId: string | null; number: number }>(
    `SELECT account_id AS "accountId", version AS number FROM account_versions
      WHERE account_id = ANY($1::text[])
     UNION ALL
     SELECT NULL, number FROM queues WHERE number = ANY($2::int8[]) AND NOT discarded`,
    texts(accounts),
    integers(numbers),
  );
  const versions = new Map(accounts.map((accountId) => [accountId, 0]));
  const alive = new Set<number>();
  for (const { accountId, number } of rows) {
    if (accountId === null) alive.add(number);
    else versions.set(accountId, number);
  }
  return { versions, alive };
}

function share(alone: Map<string, boolean>, accountId: string, wants: boolean): void {
  alone.set(accountId, wants || (alone.get(accountId) ?? false));
}

async function lock(
  session: Session,
  schema: string,
  accounts: ReadonlyMap<string, boolean>,
): Promise<void> {
  if (accounts.size === 0) return;
  const locks = Array.from(accounts, ([accountId, alone]) => {
    return { key: lockKey(schema, `account ${accountId}`), alone };
  }).toSorted((a, b) => a.key - b.key);
  await session.all(
    `SELECT CASE WHEN alone = 1 THEN pg_advisory_xact_lock(key)
                 ELSE pg_advisory_xact_lock_shared(key) END
       FROM unnest($1::int8[], $2::int8[]) AS account(key, alone)`,
    integers(locks.map(({ key }) => key)),
    integers(locks.map(({ alone }) => (alone ? 1 : 0))),
  );
}

export function isRecord(command: Command): command is StoreRecordCommand {
  return command.kind === "record.put" || command.kind === "record.delete";
}

/** The queues that a command or a question names. */
export function queuesOf(act: object): readonly QueueIdentity[] {
  const named = act as Partial<Record<"queue" | "from" | "to", QueueIdentity>>;
  return [named.queue, named.from, named.to].filter(isQueue);
}

function isQueue(value: QueueIdentity | undefined): value is QueueIdentity {
  return typeof value === "object" && "queueId" in value;
}
