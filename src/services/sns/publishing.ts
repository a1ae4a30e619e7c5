import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import type { SealedBodies } from "../../kernel/sealer.ts";
import { isPromise } from "../../kernel/soon.ts";
import { hasArchive, putArchived } from "./archive.ts";
import { type Deliverable, deliverable, queueContent } from "./deliverable.ts";
import { sendToQueue, targetOf } from "./delivery.ts";
import type { Notification } from "./envelope.ts";
import { kmsFailure } from "./errors.ts";
import { settleFailure } from "./failures.ts";
import { fanoutOf, filterCounts, type Selection, selectSubscriptions } from "./fanout.ts";
import { bodyFor, bodyForSubscription, type CheckedMessage } from "./message.ts";
import { placed } from "./notification-place.ts";
import type { SnsDependencies } from "./ports.ts";
import { logStatus } from "./status-log.ts";
import type { PutUndelivered } from "./store.ts";
import { type SubscriptionRecord, subscriptionsOf } from "./subscriptions.ts";
import type { PutArchived } from "./topic-store.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";
import { firstState, putUndelivered } from "./undelivered.ts";

/** What publishing came to: message ids in the order of the messages, and one act to commit. */
export interface Published {
  readonly messageIds: readonly string[];
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** A message with what the topic gave it. */
export interface Numbered {
  readonly message: CheckedMessage;
  readonly messageId: string;
  /** FIFO topics. */
  readonly sequenceNumber?: string;
  /** FIFO topics: subscriptions where one before it in its group still waits. */
  readonly heldUpAt?: ReadonlySet<string>;
}

/**
 * Publishes checked messages: asks for the topic's data key as the publisher, then hands them to
 * every subscribed queue. What goes to other endpoints is stored, sealed, for the worker. All that
 * comes of it is one commit: data keys, messages in queues, what is still to be delivered.
 *
 * INVARIANT: the data key comes first. Whoever may not use the topic's key is refused before a
 * message has gone anywhere. Only what stays is sealed under it: most messages do not.
 */
export async function publish(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly Numbered[],
): Promise<Published> {
  const fanout = fanoutOf(await subscriptionsOf(call.records, topic));
  const batch: Batch = { deps, call, topic };
  const addressed = messages.map((numbered) => ({
    numbered,
    ...selectSubscriptions(fanout, numbered.message),
  }));
  await call.reserve(bytesInWork(deps, addressed));
  await seal(batch, []);
  const fanned = await Promise.all(addressed.map((each) => fanOut(batch, each)));
  const left = fanned.flatMap((each) => each.left);
  const stored = left.length > 0 ? await sealLeft(batch, left) : undefined;
  return gather(batch, messages, fanned, stored);
}

interface Batch {
  readonly deps: SnsDependencies;
  readonly call: Call;
  readonly topic: TopicRecord;
}

/** With whom it is for. */
interface Addressed extends Selection {
  readonly numbered: Numbered;
}

/**
 * What a delivery takes while it is on its way, beside its body: measured, half of it objects, half
 * the memory of ciphers and groups.
 */
const deliveryBytes = 16 * 1024;

/** A hundred queues for each of a hundred publishers at once would take all the memory there is. */
function bytesInWork({ sealer }: SnsDependencies, messages: readonly Addressed[]): number {
  let bytes = 0;
  for (const { numbered, selected } of messages) {
    const own = sealer.sharesBodies ? selected.filter(hasOwnBody).length + 2 : selected.length;
    bytes += selected.length * deliveryBytes + own * numbered.message.sizeBytes;
  }
  return bytes;
}

/** Queues share the body, raw or in an envelope. */
function hasOwnBody({ protocol }: SubscriptionRecord): boolean {
  return protocol !== "sqs";
}

/** Under the topic's data key. */
async function seal({ deps, call, topic }: Batch, texts: readonly Buffer[]): Promise<SealedBodies> {
  try {
    return await deps.sealer.seal(call, topicFacts(topic).place, texts);
  } catch (error) {
    throw kmsFailure(error, call);
  }
}

/** What stays of a message, once its body is sealed. */
interface Left {
  readonly message: CheckedMessage;
  readonly body: string;
  put(sealed: Sealed): PutUndelivered | PutArchived;
}

interface Stored {
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** Each body of a message is sealed once, however many endpoints wait for it. */
async function sealLeft(batch: Batch, left: readonly Left[]): Promise<Stored> {
  const texts: Buffer[] = [];
  const places = new Map<CheckedMessage, Map<string, number>>();
  const placeOf = ({ message, body }: Left): number => {
    const ofMessage = places.get(message) ?? new Map<string, number>();
    places.set(message, ofMessage);
    const at = ofMessage.get(body) ?? texts.push(Buffer.from(body, "utf8")) - 1;
    ofMessage.set(body, at);
    return at;
  };
  const at = left.map(placeOf);
  const bodies = await seal(batch, texts);
  const puts = left.map(({ put }, index) => {
    const sealed = bodies.sealed[at[index] ?? -1];
    if (!sealed) throw new Error("the sealer answers one sealed body for each body");
    return put(sealed);
  });
  return { commands: [...bodies.commands, ...puts], committed: () => bodies.stored() };
}

interface Fanned {
  readonly commands: readonly Command[];
  readonly left: readonly Left[];
  readonly committed: readonly (() => void)[];
}

async function fanOut(
  batch: Batch,
  { numbered, selected, filteredOut }: Addressed,
): Promise<Fanned> {
  const { deps, topic } = batch;
  const deliverables = new Map<string, Deliverable>();
  const of = (body: string): Deliverable => {
    const known = deliverables.get(body);
    const made =
      known ??
      deliverable(
        deps.signer,
        notificationOf(batch, numbered, body),
        topicFacts(topic).signatureVersion,
      );
    deliverables.set(body, made);
    return made;
  };
  const fanned = await Promise.all(
    selected.map((subscription) => {
      const body = bodyForSubscription(numbered.message, subscription);
      const now = subscription.protocol === "sqs" && !numbered.heldUpAt?.has(subscription.arn);
      return now
        ? deliverNow(batch, numbered, subscription, of(body))
        : deliverLater(batch, numbered, subscription, of(body));
    }),
  );
  const sent = of(bodyFor(numbered.message, "sqs")).notification;
  const archived: Left = {
    message: numbered.message,
    body: sent.body,
    put: (sealed) => putArchived(deps, topic, sent, sealed),
  };
  return {
    commands: fanned.flatMap((each) => each.commands),
    left: [...fanned.flatMap((each) => each.left), ...(hasArchive(topic) ? [archived] : [])],
    committed: [
      ...fanned.flatMap((each) => each.committed),
      () => {
        for (const each of deliverables.values()) each.signAhead();
        for (const [metric, by] of filteredOut.flatMap(filterCounts)) {
          if (by > 0) deps.metrics.count(topic.arn, metric, by);
        }
      },
    ],
  };
}

function notificationOf(
  { call, topic }: Batch,
  { message, messageId, sequenceNumber }: Numbered,
  body: string,
): Notification {
  const { subject, attributes, groupId, deduplicationId, deduplicatedByContent } = message;
  return {
    messageId,
    topicArn: topic.arn,
    subject,
    body,
    attributes,
    groupId,
    deduplicationId,
    deduplicatedByContent,
    sequenceNumber,
    publishedMs: call.now,
  };
}

/** A queue of this server takes it in the commit that makes the publication true. */
async function deliverNow(
  batch: Batch,
  numbered: Numbered,
  subscription: SubscriptionRecord,
  delivered: Deliverable,
): Promise<Fanned> {
  const { deps, call, topic } = batch;
  const target = targetOf(subscription);
  const content = queueContent(subscription, delivered, deps.publicUrl(), target.fifo);
  const known = isPromise(content) ? await content : content;
  const tried = await sendToQueue(deps, call, target, known);
  if (tried.delivered) {
    const { status } = tried;
    const done = () => {
      tried.committed?.();
      deps.metrics.count(topic.arn, "NumberOfNotificationsDelivered", 1);
      logStatus(deps, { topic, subscription, message: delivered, attempts: 1, status });
    };
    return { commands: tried.commands, left: [], committed: [done] };
  }
  const failed = { topic, subscription, message: delivered, attempts: 1, failure: tried.failure };
  const settled = await settleFailure(deps, call, failed);
  const { kept } = settled;
  return {
    commands: settled.commands,
    left: kept ? [leftFor(batch, numbered, subscription, delivered, kept)] : [],
    committed: [settled.committed],
  };
}

/** Stored for the worker: the publisher waits for no endpoint outside. */
function deliverLater(
  batch: Batch,
  numbered: Numbered,
  subscription: SubscriptionRecord,
  delivered: Deliverable,
): Fanned {
  const { deps, call } = batch;
  const kept = firstState(subscription.protocol, call.now);
  const { nextAttemptMs } = kept;
  return {
    commands: [],
    left: [leftFor(batch, numbered, subscription, delivered, kept)],
    committed:
      nextAttemptMs === undefined ? [] : [() => deps.retryAt?.(subscription.arn, nextAttemptMs)],
  };
}

function leftFor(
  { deps, topic }: Batch,
  { message }: Numbered,
  subscription: SubscriptionRecord,
  { notification }: Deliverable,
  kept: Parameters<typeof putUndelivered>[4],
): Left {
  return {
    message,
    body: notification.body,
    put: (sealed) =>
      placed(deps.places, putUndelivered(topic, subscription, notification, sealed, kept)),
  };
}

function gather(
  { deps, topic }: Batch,
  messages: readonly Numbered[],
  fanned: readonly Fanned[],
  stored: Stored | undefined,
): Published {
  const commands = fanned.flatMap((each) => each.commands);
  const committed = fanned.flatMap((each) => each.committed);
  const sizeBytes = messages.reduce((sum, { message }) => sum + message.sizeBytes, 0);
  return {
    messageIds: messages.map(({ messageId }) => messageId),
    // A topic's data key is stored only with bodies that stay.
    commands: stored ? [...commands, ...stored.commands] : commands,
    committed() {
      stored?.committed();
      deps.metrics.count(topic.arn, "NumberOfMessagesPublished", messages.length);
      deps.metrics.count(topic.arn, "PublishSize", sizeBytes);
      for (const done of committed) done();
    },
  };
}
