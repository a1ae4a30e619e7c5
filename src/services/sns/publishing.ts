import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import type { SealedBodies } from "../../kernel/sealer.ts";
import { hasArchive, putArchived } from "./archive.ts";
import { type Deliverable, deliverable, queueContent } from "./deliverable.ts";
import { sendToQueue } from "./delivery.ts";
import type { Notification } from "./envelope.ts";
import { kmsFailure } from "./errors.ts";
import { settleFailure } from "./failures.ts";
import { type Fanout, fanoutOf, filterCounts, selectSubscriptions } from "./fanout.ts";
import { bodiesFor, bodyFor, bodyForSubscription, type CheckedMessage } from "./message.ts";
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
 * Publishes checked messages: seals them as the publisher, then hands them to every subscribed
 * queue. What goes to other endpoints is stored, sealed, for the worker. All that comes of it is
 * one commit: data keys, messages in queues, what is still to be delivered.
 *
 * INVARIANT: sealing comes first. Whoever may not use the topic's key is refused before a message
 * has gone anywhere.
 */
export async function publish(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly Numbered[],
): Promise<Published> {
  const fanout = fanoutOf(await subscriptionsOf(call.records, topic));
  const bodies = await seal(deps, call, topic, fanout, messages);
  const batch: Batch = { deps, call, topic, fanout, bodies };
  const fanned = await Promise.all(messages.map((each) => fanOut(batch, each)));
  return gather(batch, messages, fanned);
}

interface Batch {
  readonly deps: SnsDependencies;
  readonly call: Call;
  readonly topic: TopicRecord;
  readonly fanout: Fanout;
  readonly bodies: Bodies;
}

interface Bodies extends SealedBodies {
  of(message: CheckedMessage, body: string): Sealed;
}

/** Seals every body that a protocol of the topic's subscriptions gets, each once. */
async function seal(
  { sealer }: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  { matchers }: Fanout,
  messages: readonly Numbered[],
): Promise<Bodies> {
  const places = new Map<CheckedMessage, Map<string, number>>();
  const texts: Buffer[] = [];
  for (const { message } of messages) {
    const ofMessage = new Map<string, number>();
    for (const body of bodiesFor(message, [...matchers.keys(), "sqs"])) {
      if (ofMessage.has(body)) continue;
      ofMessage.set(body, texts.length);
      texts.push(Buffer.from(body, "utf8"));
    }
    places.set(message, ofMessage);
  }
  let bodies: SealedBodies;
  try {
    bodies = await sealer.seal(call, topicFacts(topic).place, texts);
  } catch (error) {
    throw kmsFailure(error, call);
  }
  const { sealed, commands } = bodies;
  return {
    sealed,
    commands,
    stored: () => bodies.stored(),
    of(message, body) {
      const found = sealed[places.get(message)?.get(body) ?? -1];
      if (!found) throw new Error("the sealer answers one sealed body for each body");
      return found;
    },
  };
}

interface Fanned {
  readonly commands: readonly Command[];
  /** What stays, sealed under the topic's data key. */
  readonly puts: readonly (PutUndelivered | PutArchived)[];
  readonly committed: readonly (() => void)[];
}

async function fanOut(batch: Batch, numbered: Numbered): Promise<Fanned> {
  const { deps, topic, fanout } = batch;
  const { selected, filteredOut } = selectSubscriptions(fanout, numbered.message);
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
  const archived = hasArchive(topic)
    ? [putArchived(deps, topic, sent, batch.bodies.of(numbered.message, sent.body))]
    : [];
  return {
    commands: fanned.flatMap((each) => each.commands),
    puts: [...fanned.flatMap((each) => each.puts), ...archived],
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
  { deps, call, topic, bodies }: Batch,
  { message }: Numbered,
  subscription: SubscriptionRecord,
  delivered: Deliverable,
): Promise<Fanned> {
  const { endpoint: queueArn } = subscription;
  const fifoQueue = queueArn.endsWith(".fifo");
  const content = await queueContent(subscription, delivered, deps.publicUrl(), fifoQueue);
  const tried = await sendToQueue(deps, call, { queueArn, topicArn: topic.arn }, content);
  if (tried.delivered) {
    const { status } = tried;
    const done = () => {
      tried.committed?.();
      deps.metrics.count(topic.arn, "NumberOfNotificationsDelivered", 1);
      logStatus(deps, { topic, subscription, message: delivered, attempts: 1, status });
    };
    return { commands: tried.commands, puts: [], committed: [done] };
  }
  const failed = { topic, subscription, message: delivered, attempts: 1, failure: tried.failure };
  const settled = await settleFailure(deps, call, failed);
  const { notification } = delivered;
  const { kept } = settled;
  const sealed = bodies.of(message, notification.body);
  return {
    commands: settled.commands,
    puts: kept
      ? [placed(deps.places, putUndelivered(topic, subscription, notification, sealed, kept))]
      : [],
    committed: [settled.committed],
  };
}

/** Stored for the worker: the publisher waits for no endpoint outside. */
function deliverLater(
  { deps, call, topic, bodies }: Batch,
  { message }: Numbered,
  subscription: SubscriptionRecord,
  { notification }: Deliverable,
): Fanned {
  const kept = firstState(subscription.protocol, call.now);
  const sealed = bodies.of(message, notification.body);
  const { nextAttemptMs } = kept;
  return {
    commands: [],
    puts: [placed(deps.places, putUndelivered(topic, subscription, notification, sealed, kept))],
    committed:
      nextAttemptMs === undefined ? [] : [() => deps.retryAt?.(subscription.arn, nextAttemptMs)],
  };
}

function gather(
  { deps, topic, bodies }: Batch,
  messages: readonly Numbered[],
  fanned: readonly Fanned[],
): Published {
  const commands = fanned.flatMap((each) => each.commands);
  const puts = fanned.flatMap((each) => each.puts);
  const committed = fanned.flatMap((each) => each.committed);
  const sizeBytes = messages.reduce((sum, { message }) => sum + message.sizeBytes, 0);
  return {
    messageIds: messages.map(({ messageId }) => messageId),
    // A topic's data key is stored only with bodies that stay: those still to be delivered.
    commands: puts.length > 0 ? [...commands, ...bodies.commands, ...puts] : commands,
    committed() {
      if (puts.length > 0) bodies.stored();
      deps.metrics.count(topic.arn, "NumberOfMessagesPublished", messages.length);
      deps.metrics.count(topic.arn, "PublishSize", sizeBytes);
      for (const done of committed) done();
    },
  };
}
