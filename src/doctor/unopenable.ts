import { parseArn } from "../kernel/arn.ts";
import type { Query, ResultOf } from "../kernel/command.ts";
import type { RecordScope, RecordView } from "../kernel/records.ts";
import { queueArn } from "../services/sqs/queue.ts";
import { queueRecords } from "../services/sqs/records.ts";
import type { CountSealedUnder, ListSealingKeys } from "../services/sqs/store.ts";
import { keyOfPlace } from "./keys.ts";

/** Messages that nobody can open now, by queue and KMS key. */
export interface UnopenableMessages {
  readonly queueArn: string;
  readonly keyArn: string;
  readonly messages: number;
  /** When the oldest of them was sent. */
  readonly oldestSentAt: string;
  /** The key is no more: they leave by retention, redrive or purge. False: it may open again. */
  readonly forEver: boolean;
  readonly reason: string;
}

export interface UnopenableQuestion {
  readonly view: RecordView;
  query<Q extends Query>(query: Q): Promise<ResultOf<Q>>;
}

/** What lies in queues, of all accounts, under KMS keys that are gone or cannot be used now. */
export async function unopenableMessages({
  view,
  query,
}: UnopenableQuestion): Promise<readonly UnopenableMessages[]> {
  const found: UnopenableMessages[] = [];
  const sealingKeys = await query<ListSealingKeys>({ kind: "sqs.sealing-keys" });
  for (const { keyArn, ...scope } of sealingKeys) {
    const trouble = await troubleWith(view, keyArn);
    if (trouble === undefined) continue;
    const count: CountSealedUnder = { kind: "sqs.sealed-under", ...scope, keyArn };
    const queues = await queueArns(view, scope);
    for (const { queueId, messages, oldestSentMs } of await query(count)) {
      const queueArn = queues.get(queueId);
      // A queue that was deleted or purged meanwhile has no messages.
      if (queueArn === undefined) continue;
      const oldestSentAt = new Date(oldestSentMs).toISOString();
      found.push({ queueArn, keyArn, messages, oldestSentAt, ...trouble });
    }
  }
  return found;
}

async function troubleWith(
  view: RecordView,
  keyArn: string,
): Promise<Pick<UnopenableMessages, "forEver" | "reason"> | undefined> {
  const arn = parseArn(keyArn);
  if (arn?.service !== "kms") return undefined;
  const key = await keyOfPlace(view, { accountId: arn.accountId, region: arn.region }, keyArn);
  if (!key.found) return { forEver: true, reason: `${keyArn} is no more` };
  return key.unusable === undefined ? undefined : { forEver: false, reason: key.unusable };
}

async function queueArns(
  view: RecordView,
  scope: RecordScope,
): Promise<ReadonlyMap<string, string>> {
  const all = await queueRecords.list(view, scope);
  return new Map(all.map(({ id, value }) => [value.queueId, queueArn(scope, id)]));
}
