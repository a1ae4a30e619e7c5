import type { Call } from "../../kernel/call.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Outcome } from "../../kernel/operation.ts";
import { recordKind } from "../../kernel/records.ts";
import { hasArchive, identityOf } from "./archive.ts";
import { invalidParameter } from "./errors.ts";
import { fanoutOf, selectSubscriptions } from "./fanout.ts";
import type { CheckedMessage } from "./message.ts";
import { isInPlace, placedMetadata } from "./notification-place.ts";
import { type RedeliveryDependencies, topicSession } from "./redelivery.ts";
import type { UndeliveredRow } from "./store.ts";
import { partsOfSubscription, type SubscriptionRecord, subscriptionKind } from "./subscriptions.ts";
import type { ArchiveRow, ReadArchive, ReplayArchived } from "./topic-store.ts";
import { dataKeyReuseMs, type TopicRecord, topicFacts, topicKind } from "./topics.ts";
import { type OpenedRow, openedRow, replayMetadata } from "./undelivered.ts";

/** AWS: as ReplayStatus shows it. */
export type ReplayStatus = "Pending" | "In progress" | "Completed" | "Failed";

/** How far a replay has come. */
export interface ReplayState {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly startedMs: EpochMs;
  readonly afterSequence: number;
  readonly status: ReplayStatus;
}

/** Replays under way, so that a restart goes on with them; id: the subscription's ARN. */
export const replayKind = recordKind<object>("sns.replay", "installation");
export const replayScope = { accountId: "", region: "" };

const pageMessagesMax = 50;

/**
 * Begins a replay as a ReplayPolicy says. AWS?: the texts, and that one subscription replays once
 * at a time. Throws InvalidParameter, ReplayLimitExceeded.
 */
export function beginReplay(
  call: Pick<Call, "now">,
  topic: TopicRecord,
  before: ReplayState | undefined,
  text: string,
  prefix = "",
): ReplayState {
  const refuse = (what: string) => invalidParameter(`${prefix}ReplayPolicy: ${what}`);
  if (!hasArchive(topic)) throw refuse("the topic has no ArchivePolicy");
  if (before?.status === "Pending" || before?.status === "In progress") {
    const busy = "Limit exceeded: a replay of this subscription is in progress";
    throw new Refusal("ReplayLimitExceededException", busy);
  }
  const policy = parse(text);
  if (!policy) throw refuse("failed to parse JSON");
  if (policy.PointType !== "Timestamp") throw refuse("PointType must be Timestamp");
  const fromMs = timeOf(policy.StartingPoint);
  if (fromMs === undefined) throw refuse("StartingPoint must be a time");
  const toMs = policy.EndingPoint === undefined ? call.now : timeOf(policy.EndingPoint);
  if (toMs === undefined) throw refuse("EndingPoint must be a time");
  if (fromMs < Math.floor((topic.archiveSinceMs ?? 0) / 1000) * 1000) {
    throw refuse("StartingPoint is before the beginning of the archive");
  }
  if (fromMs > call.now) throw refuse("StartingPoint is in the future");
  if (toMs < fromMs) throw refuse("EndingPoint must be after StartingPoint");
  return { fromMs, toMs, startedMs: call.now, afterSequence: 0, status: "Pending" };
}

/**
 * Takes the next messages of a replay out of the archive and into the subscription's lane, where
 * they keep their order. True: there may be more.
 */
export function continueReplay(
  deps: RedeliveryDependencies,
  subscriptionArn: string,
): Promise<boolean> {
  const [, , , region = "", accountId = ""] = subscriptionArn.split(":");
  const { name, id } = partsOfSubscription(subscriptionArn);
  const topicArn = subscriptionArn.slice(0, subscriptionArn.lastIndexOf(":"));
  const session = topicSession("Replay", { accountId, region, topicArn });
  return deps.runAsService(session, async (call) => {
    const subscription = await subscriptionKind.get(call.records, { accountId, region }, id);
    const { replay } = subscription ?? {};
    if (!subscription || !replay || isOver(replay)) return { output: false };
    const topic = await topicKind.get(call.records, { accountId, region }, name);
    if (!topic) return { output: false };
    return nextPage(deps, call, topic, subscription, replay);
  });
}

/** Subscriptions whose replay goes on. */
export function replaysUnderWay(
  deps: Pick<RedeliveryDependencies, "runAsService">,
): Promise<readonly string[]> {
  const session = topicSession("Replay", { accountId: "", region: "", topicArn: "" });
  return deps.runAsService(session, async (call) => {
    const replays = await replayKind.list(call.records, replayScope);
    return { output: replays.map(({ id }) => id) };
  });
}

function isOver({ status }: ReplayState): boolean {
  return status === "Completed" || status === "Failed";
}

async function nextPage(
  deps: RedeliveryDependencies,
  call: Call,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  replay: ReplayState,
): Promise<Outcome<boolean>> {
  const rows = await deps.ask<ReadArchive>({
    kind: "sns.archive.read",
    topic: identityOf(topic),
    afterSequence: replay.afterSequence,
    fromMs: replay.fromMs,
    toMs: replay.toMs,
    limit: pageMessagesMax,
  });
  const messages = await replayed(deps, call, topic, subscription, replay, rows);
  const last = rows.at(-1)?.sequence ?? replay.afterSequence;
  const more = rows.length === pageMessagesMax;
  const status: ReplayStatus = more ? "In progress" : "Completed";
  const { id } = partsOfSubscription(subscription.arn);
  const after = { ...subscription, replay: { ...replay, afterSequence: last, status } };
  const copy: ReplayArchived = {
    kind: "sns.archive.replay",
    topic: identityOf(topic),
    topicArn: topic.arn,
    subscriptionArn: subscription.arn,
    nowMs: call.now,
    messages,
  };
  return {
    output: more,
    commands: [
      copy,
      subscriptionKind.put(topic, id, after),
      ...(more ? [] : [replayKind.remove(replayScope, subscription.arn)]),
    ],
  };
}

/** What of these messages the subscription gets, each with the MAC of its new place. */
async function replayed(
  deps: RedeliveryDependencies,
  call: Call,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  { startedMs }: ReplayState,
  rows: readonly ArchiveRow[],
): Promise<ReplayArchived["messages"]> {
  const genuine = rows
    .map((row) => asWaiting(topic, row))
    .filter((row) => {
      const inPlace = isInPlace(deps.places, topic.arn, row);
      const { messageId } = row;
      if (!inPlace) deps.log.warn("an archived message is not where it was put", { messageId });
      return inPlace;
    });
  const place = { ...topicFacts(topic).place, reusePeriodMs: dataKeyReuseMs };
  const opened = await deps.sealer.open(call, place, genuine);
  return genuine.flatMap((row, index) => {
    const body = opened[index];
    // The key says no: the whole page waits for it.
    if (!body?.ok) throw body?.error ?? new Error("the sealer answers each body");
    const content = openedRow(row, body.body.toString("utf8"));
    if (content.kind !== "notification" || !wants(subscription, content)) return [];
    const plain = replayMetadata(row, `replay-${startedMs}-${row.messageId}`);
    const moved = { ...row, subscriptionArn: subscription.arn };
    const metadata = placedMetadata(deps.places, moved, plain);
    const { groupId = "" } = content.notification;
    return [{ sequence: row.sequence ?? 0, groupId, metadata }];
  });
}

/** An archived message as a row that waits in the topic itself: its MAC was made for that. */
function asWaiting(topic: TopicRecord, row: ArchiveRow): UndeliveredRow {
  return {
    ...row,
    accountId: topic.accountId,
    region: topic.region,
    subscriptionArn: topic.arn,
    topicArn: topic.arn,
    attempts: 0,
    nextAttemptMs: undefined,
    failureCode: "",
    failureText: "",
  };
}

/** AWS: filter policies hold for replays too. */
function wants(subscription: SubscriptionRecord, content: OpenedRow): boolean {
  if (content.kind !== "notification" || subscription.filterPolicy === undefined) return true;
  const { body, attributes, subject, groupId } = content.notification;
  const message: CheckedMessage = {
    body,
    attributes,
    subject,
    groupId,
    deduplicationId: undefined,
    deduplicatedByContent: false,
    sizeBytes: 0,
  };
  const alone = fanoutOf([{ id: subscription.arn, value: subscription }]);
  return selectSubscriptions(alone, message).selected.length === 1;
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const policy: unknown = JSON.parse(text);
    const proper = typeof policy === "object" && policy !== null && !Array.isArray(policy);
    return proper ? { ...policy } : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(value: unknown): EpochMs | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
