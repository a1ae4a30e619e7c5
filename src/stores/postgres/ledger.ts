import type { Command, Query, RecordQuery } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import type { SealingCommand, SealingQuery } from "../../sealing/store.ts";
import type { AuditCommand, AuditQuery } from "../../services/cloudtrail/store.ts";
import type { SnsCommand, SnsQuery } from "../../services/sns/store.ts";
import type { TopicCommand, TopicQuery } from "../../services/sns/topic-store.ts";
import type { SqsCommand, SqsQuery } from "../../services/sqs/store.ts";
import type { Acts, Work } from "./act.ts";
import { forgetActs } from "./attempts.ts";
import { appendActs } from "./audit.ts";
import { auditHistoryActs } from "./audit-history.ts";
import { claimActs } from "./claims.ts";
import { createDataKeys } from "./data-keys.ts";
import { discardedActs } from "./discarded.ts";
import { heldActs } from "./held.ts";
import { measureActs } from "./measures.ts";
import { metaActs } from "./meta.ts";
import { moveActs } from "./moves.ts";
import { recordQueries } from "./records.ts";
import { removalActs } from "./removal.ts";
import { sealedUnderActs } from "./sealed-under.ts";
import { sendActs } from "./sends.ts";
import { createTenants } from "./tenants.ts";
import { topicActs } from "./topics.ts";
import { trailEventActs } from "./trail-events.ts";
import { undeliveredActs } from "./undelivered.ts";

/** All tables together: carries out acts of one kind, or answers questions. */
export interface Ledger {
  perform(
    work: Work,
    kind: string,
    acts: readonly (Command | Query)[],
  ): Promise<readonly unknown[]>;
  /** Call after anything was rolled back, or may have been. */
  reload(): void;
}

type StoreCommand =
  | SqsCommand
  | SnsCommand
  | TopicCommand
  | SealingCommand
  | AuditCommand
  | PutMeta;
type StoreQuery =
  | SqsQuery
  | SnsQuery
  | TopicQuery
  | SealingQuery
  | AuditQuery
  | RecordQuery
  | GetMeta;

type Perform = (work: Work, acts: readonly never[]) => Promise<readonly unknown[]>;

export function createLedger(elapsedMs: () => number): Ledger {
  const dataKeys = createDataKeys();
  const tenants = createTenants(elapsedMs);
  const all: Acts<StoreCommand | StoreQuery> = {
    ...sendActs(dataKeys, tenants),
    ...removalActs,
    ...claimActs(dataKeys, tenants),
    ...heldActs,
    ...moveActs(tenants),
    ...forgetActs,
    ...discardedActs,
    ...measureActs(tenants, elapsedMs),
    ...sealedUnderActs,
    ...dataKeys.acts,
    ...undeliveredActs(dataKeys),
    ...topicActs(dataKeys),
    ...appendActs(),
    ...auditHistoryActs,
    ...trailEventActs,
    ...metaActs,
    ...recordQueries,
  };
  const performs = new Map<string, Perform>(Object.entries(all) as [string, Perform][]);
  return {
    async perform(work, kind, acts) {
      const known = performs.get(kind);
      assert(known, `the store knows ${kind}`);
      return known(work, acts as readonly never[]);
    },
    reload: () => dataKeys.reload(),
  };
}
