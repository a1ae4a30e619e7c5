import type { Call } from "../../kernel/call.ts";
import type { ServiceCaller } from "../../kernel/caller.ts";
import type { Command } from "../../kernel/command.ts";
import { Fault, Refusal } from "../../kernel/errors.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { Opened } from "../../kernel/sealer.ts";
import {
  carry,
  type Outside,
  type Prepared,
  prepareConfirmation,
  prepareNotification,
} from "./carrying.ts";
import { type Deliverable, deliverable, queueContent } from "./deliverable.ts";
import {
  type Attempt,
  type DeliveryFailure,
  describeFailure,
  sendToQueue,
  targetOf,
} from "./delivery.ts";
import { settleFailure } from "./failures.ts";
import { isInPlace } from "./notification-place.ts";
import { type Carriers, type SnsDependencies, servicePrincipal } from "./ports.ts";
import { logStatus } from "./status-log.ts";
import type { RemoveUndelivered, RescheduleUndelivered, UndeliveredRow } from "./store.ts";
import { partsOfSubscription, type SubscriptionRecord, subscriptionKind } from "./subscriptions.ts";
import { dataKeyReuseMs, type TopicRecord, topicFacts, topicKind } from "./topics.ts";
import { openedRow } from "./undelivered.ts";

/**
 * One act of a service under its own identity, outside any request: gets a call of its own, is
 * decided again when the configuration moved on, and its outcome is committed with its audit.
 */
export type RunAsService = <O>(
  session: ServiceSession,
  act: (call: Call) => Promise<Outcome<O>>,
) => Promise<O>;

export interface ServiceSession {
  readonly caller: ServiceCaller;
  /** `sns` */
  readonly service: string;
  /** What the service is doing, for logs: `Redeliver`. */
  readonly operation: string;
  readonly region: string;
}

export interface RedeliveryDependencies extends SnsDependencies {
  readonly runAsService: RunAsService;
  readonly carriers: Carriers;
}

/**
 * How long delivery waits when the *topic's* key says no: it never drops, and a key that is off
 * for days is not asked for each message all the time.
 */
export const topicKeyWaitMs = 60_000;

/** A session of SNS acting for a topic. */
export function topicSession(
  operation: string,
  place: { readonly accountId: string; readonly region: string; readonly topicArn: string },
): ServiceSession {
  return {
    service: "sns",
    operation,
    region: place.region,
    caller: {
      kind: "service",
      service: servicePrincipal,
      sourceArn: place.topicArn,
      sourceAccountId: place.accountId,
    },
  };
}

/**
 * Attempts one stored delivery. What came of it is in the store when this answers; a failure is
 * noted there, never thrown.
 *
 * INVARIANT: an act that reaches outside the server is done once for each attempt: it lies between
 * two decisions, neither of which repeats it. A crash in between leaves the notification for
 * another attempt: at least once.
 */
export async function redeliver(deps: RedeliveryDependencies, row: UndeliveredRow): Promise<void> {
  const session = topicSession("Redeliver", row);
  const next = await deps.runAsService(session, (call) => decide(deps, call, row));
  if (!next) return;
  const attempt = await carry(deps.carriers, next.prepared);
  await deps.runAsService(session, (call) => note(deps, call, row, next, attempt));
}

/** A delivery that leads outside the server. */
interface Outgoing {
  readonly topic: TopicRecord;
  readonly subscription: SubscriptionRecord;
  /** Absent for confirmations. */
  readonly message?: Deliverable;
  readonly prepared: Outside;
}

/** A record that does not hold, or cannot be read now, stops its own notification only. */
async function decide(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
): Promise<Outcome<Outgoing | undefined>> {
  try {
    return await openAndDeliver(deps, call, row);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return unopened(deps, call, row, { ok: false, error });
  }
}

/** Opens the row; delivers it at once where a queue of this server is the endpoint. */
async function openAndDeliver(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
): Promise<Outcome<Outgoing | undefined>> {
  const { name, id } = partsOfSubscription(row.subscriptionArn);
  const topic = await topicKind.get(call.records, row, name);
  if (!topic) return done([removed(row)]);
  if (!isInPlace(deps.places, topic.arn, row)) {
    const text = "a stored notification is not where it was put";
    return unopened(deps, call, row, { ok: false, error: new Fault("body-authentication", text) });
  }
  const { place } = topicFacts(topic);
  const [opened] = await deps.sealer.open(call, { ...place, reusePeriodMs: dataKeyReuseMs }, [row]);
  if (!opened) throw new Error("the sealer answers each body that it is given");
  if (!opened.ok) return unopened(deps, call, row, opened);
  const content = openedRow(row, opened.body.toString("utf8"));
  if (content.kind === "confirmation") {
    const { subscription, message } = content;
    const prepared = await prepareConfirmation(deps, topic, subscription, message);
    return handle(deps, call, row, { topic, subscription, prepared });
  }
  const subscription = await subscriptionKind.get(call.records, row, id);
  if (!subscription) return done([removed(row)]);
  const { signatureVersion } = topicFacts(topic);
  const message = deliverable(deps.signer, content.notification, signatureVersion);
  const prepared: Prepared =
    subscription.protocol === "sqs"
      ? { kind: "queue", content: await contentFor(deps, subscription, message) }
      : await prepareNotification(deps, topic, subscription, message);
  return handle(deps, call, row, { topic, subscription, message, prepared });
}

function contentFor(
  deps: RedeliveryDependencies,
  subscription: SubscriptionRecord,
  message: Deliverable,
): ReturnType<typeof queueContent> {
  return queueContent(subscription, message, deps.publicUrl(), targetOf(subscription).fifo);
}

async function handle(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
  delivery: Omit<Outgoing, "prepared"> & { readonly prepared: Prepared },
): Promise<Outcome<Outgoing | undefined>> {
  const { prepared, subscription } = delivery;
  if (prepared.kind !== "queue") return { output: { ...delivery, prepared } };
  const attempt = await sendToQueue(deps, call, targetOf(subscription), prepared.content);
  return note(deps, call, row, delivery, attempt);
}

/** Writes down what came of an attempt. */
async function note(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
  outgoing: Omit<Outgoing, "prepared">,
  attempt: Attempt,
): Promise<Outcome<undefined>> {
  const { topic, subscription, message } = outgoing;
  const attempts = row.attempts + 1;
  if (attempt.delivered) {
    return done([...attempt.commands, removed(row)], () => {
      attempt.committed?.();
      if (!message) return;
      deps.metrics.count(topic.arn, "NumberOfNotificationsDelivered", 1);
      const dwellMs = call.now - row.publishedMs;
      const { status } = attempt;
      logStatus(deps, { topic, subscription, message, attempts, status, dwellMs });
    });
  }
  // AWS: confirmations have no dead-letter queue.
  const { redrivePolicy: _none, ...plain } = subscription;
  const failed = {
    topic,
    subscription: message ? subscription : plain,
    message: message ?? wordless(deps, row),
    attempts,
    failure: attempt.failure,
  };
  const settled = await settleFailure(deps, call, failed);
  const { kept } = settled;
  const rest: Command = kept ? { ...rescheduled(row), ...kept } : removed(row);
  return done([...settled.commands, rest], settled.committed);
}

/** A confirmation as failures report it: by its id alone. */
function wordless(deps: RedeliveryDependencies, row: UndeliveredRow): Deliverable {
  const { messageId, topicArn, publishedMs } = row;
  const notification = {
    messageId,
    topicArn,
    publishedMs,
    body: "",
    subject: undefined,
    attributes: undefined,
    groupId: undefined,
    deduplicationId: undefined,
    sequenceNumber: undefined,
  };
  return deliverable(deps.signer, notification, "1");
}

const neverOpens: ReadonlySet<string> = new Set(["body-authentication", "data-key-authentication"]);

/**
 * The topic's own key does not open the body now: wait, without using up an attempt. A body that is
 * not authentic will never open: given up.
 */
function unopened(
  deps: RedeliveryDependencies,
  call: Call,
  row: UndeliveredRow,
  { error }: Extract<Opened, { ok: false }>,
): Outcome<undefined> {
  const hopeless = error instanceof Fault && neverOpens.has(error.kind);
  const failure: DeliveryFailure = describeFailure(error, deps.log);
  const place = error instanceof Refusal ? "topic key: " : "topic: ";
  const nextAttemptMs = hopeless ? undefined : call.now + topicKeyWaitMs;
  const kept: RescheduleUndelivered = {
    ...rescheduled(row),
    attempts: row.attempts,
    nextAttemptMs,
    givenUpMs: hopeless ? call.now : undefined,
    failureCode: failure.code,
    failureText: place + failure.text,
  };
  return done([kept], () => {
    const { subscriptionArn, messageId } = row;
    const { failureText: reason, failureCode: code } = kept;
    deps.log.warn("notification not opened", { subscriptionArn, messageId, code, reason });
    if (nextAttemptMs !== undefined) deps.retryAt?.(subscriptionArn, nextAttemptMs);
    else deps.metrics.count(row.topicArn, "NumberOfNotificationsFailed", 1);
  });
}

function done(commands: readonly Command[], committed?: () => void): Outcome<undefined> {
  return { output: undefined, commands, ...(committed ? { committed } : {}) };
}

type RowName = Pick<RemoveUndelivered, "accountId" | "region" | "subscriptionArn" | "messageId">;

function nameOf({ accountId, region, subscriptionArn, messageId }: UndeliveredRow): RowName {
  return { accountId, region, subscriptionArn, messageId };
}

function removed(row: UndeliveredRow): RemoveUndelivered {
  return { kind: "sns.undelivered.remove", ...nameOf(row) };
}

function rescheduled(row: UndeliveredRow) {
  return { kind: "sns.undelivered.reschedule", ...nameOf(row) } as const;
}
