import type { DatabaseSync } from "node:sqlite";
import type {
  Command,
  CommitAnswer,
  CommitRequest,
  Query,
  RecordQuery,
  StoreRecordCommand,
} from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import { isSealed } from "../../kernel/sealed.ts";
import type { CompactStore } from "../../kernel/space.ts";
import type { SealingCommand, SealingQuery } from "../../sealing/store.ts";
import type { AuditCommand, AuditQuery } from "../../services/cloudtrail/store.ts";
import type { SnsCommand, SnsQuery } from "../../services/sns/store.ts";
import type { TopicCommand, TopicQuery } from "../../services/sns/topic-store.ts";
import type { InsertMessages, SqsCommand, SqsQuery } from "../../services/sqs/store.ts";
import type { Acts } from "./act.ts";
import { auditActs } from "./audit.ts";
import { createChains } from "./audit-chain.ts";
import { auditHistoryActs } from "./audit-history.ts";
import { compactionActs } from "./compaction.ts";
import { createDataKeys } from "./data-keys.ts";
import { createMessages } from "./messages.ts";
import { metaActs } from "./meta.ts";
import { createRecords } from "./records.ts";
import { createSequence } from "./sequence.ts";
import { createLatePublications, topicActs } from "./topics.ts";
import { trailEventActs } from "./trail-events.ts";
import { createOutbox } from "./trail-outbox.ts";
import { undeliveredActs } from "./undelivered.ts";

/** All tables together: carries out one act or answers one question, inside a transaction. */
export interface Ledger {
  carryOut(request: CommitRequest): CommitAnswer;
  answer(query: Query): unknown;
  /** Call first in each transaction. */
  begin(): void;
  /** Writes what was kept back to be written at once. Call before a question, and last. */
  settle(): void;
  /** Call after anything was rolled back. */
  reload(): void;
}

type StoreCommand =
  | SqsCommand
  | SnsCommand
  | TopicCommand
  | SealingCommand
  | AuditCommand
  | CompactStore
  | PutMeta;
type StoreQuery =
  | SqsQuery
  | SnsQuery
  | TopicQuery
  | SealingQuery
  | AuditQuery
  | RecordQuery
  | GetMeta;

export function createLedger(database: DatabaseSync): Ledger {
  const sequence = createSequence(database, "sequence");
  const records = createRecords(database);
  const dataKeys = createDataKeys(database);
  const chains = createChains(database);
  const outbox = createOutbox(database, chains);
  const messages = createMessages(database, sequence, dataKeys);
  const isLate = createLatePublications(database);
  const all: Acts<StoreCommand | StoreQuery> = {
    ...messages.acts,
    ...dataKeys.acts,
    ...undeliveredActs(database, dataKeys),
    ...topicActs(database, dataKeys),
    ...auditActs(database, chains, outbox),
    ...auditHistoryActs(database),
    ...trailEventActs(database),
    ...metaActs(database),
    ...compactionActs(database),
    ...records.queries,
  };
  const acts = new Map<string, (act: never) => unknown>(Object.entries(all));

  function perform(act: Command | Query): unknown {
    const known = acts.get(act.kind);
    assert(known, `the store knows ${act.kind}`);
    return known(act as never);
  }

  return {
    carryOut({ decidedUnder, commands }) {
      const stale = records.staleVersions(decidedUnder);
      if (stale !== undefined) return { status: "stale", versions: stale };
      // A data key that is no longer held: the right to it is decided again.
      if (commands.some(isLate) || commands.some(isUnsealed)) {
        return { status: "stale", versions: [] };
      }
      const results: unknown[] = new Array(commands.length).fill(undefined);
      // Data keys first: the foreign keys of bodies are checked row by row.
      commands.forEach((command, index) => {
        if (isDataKey(command)) results[index] = perform(command);
      });
      commands.forEach((command, index) => {
        if (!isDataKey(command) && !isRecord(command)) results[index] = perform(command);
      });
      const recordCommands = commands.filter(isRecord);
      const versions = recordCommands.length === 0 ? [] : records.change(recordCommands);
      return { status: "done", results, versions };
    },
    answer: perform,
    begin() {
      sequence.reserve();
      messages.begin();
    },
    settle() {
      outbox.flush();
      chains.flush();
    },
    reload() {
      sequence.reload();
      records.reload();
      chains.reload();
      outbox.reload();
      messages.reload();
      dataKeys.reload();
    },
  };
}

function isUnsealed(command: Command): boolean {
  if (command.kind !== "sqs.insert") return false;
  return (command as InsertMessages).messages.some(({ sealed }) => !isSealed(sealed));
}

function isDataKey(command: Command): boolean {
  return command.kind === "data-key.put";
}

function isRecord(command: Command): command is StoreRecordCommand {
  return command.kind === "record.put" || command.kind === "record.delete";
}
