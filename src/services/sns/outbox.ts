import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import { directOf } from "./direct.ts";
import { isInPlace } from "./notification-place.ts";
import { type RedeliveryDependencies, topicSession } from "./redelivery.ts";
import type { ListUndelivered, UndeliveredRow } from "./store.ts";
import { partsOfSubscription, subscriptionKind } from "./subscriptions.ts";
import { dataKeyReuseMs, topicFacts, topicKind } from "./topics.ts";
import { openedRow } from "./undelivered.ts";

export type OutboxEntry = { readonly [name: string]: Json };

/**
 * What nobody here can carry (SMS, push, streams), opened for an operator. Opened as SNS opens a
 * body for delivery: the topic's key decides, and the audit tells of it.
 */
export async function readOutbox(
  deps: Pick<RedeliveryDependencies, "ask" | "runAsService" | "sealer" | "places">,
  query: Omit<ListUndelivered, "kind" | "only">,
): Promise<readonly OutboxEntry[]> {
  const rows = await deps.ask<ListUndelivered>({
    kind: "sns.undelivered.list",
    ...query,
    only: "outbox",
  });
  const entries: OutboxEntry[] = [];
  for (const row of rows) entries.push(await readEntry(deps, row));
  return entries;
}

function readEntry(
  deps: Pick<RedeliveryDependencies, "runAsService" | "sealer" | "places">,
  row: UndeliveredRow,
): Promise<OutboxEntry> {
  const { topicArn, subscriptionArn, messageId } = row;
  const publishedAt = new Date(row.publishedMs).toISOString();
  const facts = { topicArn, subscriptionArn, messageId, publishedAt };
  return deps.runAsService<OutboxEntry>(topicSession("ReadOutbox", row), async (call) => {
    const receiver = directOf(topicArn) ?? (await subscriberOf(call, row));
    if (!receiver) return { output: { ...facts, problem: "it was unsubscribed" } };
    const { protocol, endpoint, place } = receiver;
    const known = { ...facts, protocol, endpoint };
    if (!isInPlace(deps.places, place.arn, row)) {
      return { output: { ...known, problem: "a stored notification is not where it was put" } };
    }
    const opening = { ...place, reusePeriodMs: dataKeyReuseMs };
    const [opened] = await deps.sealer.open(call, opening, [row]);
    if (!opened?.ok) {
      const problem = opened?.error.message ?? "the body does not open";
      return { output: { ...known, problem } };
    }
    const content = openedRow(row, opened.body.toString("utf8"));
    if (content.kind !== "notification") return { output: known };
    const { subject = null, body, attributes = {} } = content.notification;
    const messageAttributes = Object.fromEntries(
      Object.entries(attributes).map(([name, { Type, Value }]) => [name, { Type, Value }]),
    );
    return { output: { ...known, subject, message: body, messageAttributes } };
  });
}

async function subscriberOf(call: Call, row: UndeliveredRow) {
  const { name, id } = partsOfSubscription(row.subscriptionArn);
  const topic = await topicKind.get(call.records, row, name);
  const subscription = await subscriptionKind.get(call.records, row, id);
  if (!topic || !subscription) return undefined;
  const { protocol, endpoint } = subscription;
  return { protocol, endpoint, place: topicFacts(topic).place };
}
