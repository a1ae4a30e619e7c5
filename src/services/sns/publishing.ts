import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { RecordEntry } from "../../kernel/records.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import type { SealedBodies } from "../../kernel/sealer.ts";
import {
  type Deliverable,
  type DeliveryFailure,
  deliver,
  nextAttemptMs,
  reportFailure,
} from "./delivery.ts";
import { type Notification, signNotification } from "./envelope.ts";
import { kmsFailure } from "./errors.ts";
import type { CheckedMessage } from "./message.ts";
import type { SnsDependencies } from "./ports.ts";
import type { PutUndelivered } from "./store.ts";
import { type SubscriptionRecord, subscriptionsOf } from "./subscriptions.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";
import { metadataOf } from "./undelivered.ts";

/** What publishing came to: message ids in the order of the messages, and one act to commit. */
export interface Published {
  readonly messageIds: readonly string[];
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/**
 * Publishes checked messages: seals them as the publisher, then hands them to every subscribed
 * queue. All that comes of it is one commit: data keys, messages in queues, what could not be
 * delivered.
 *
 * INVARIANT: sealing comes first. Whoever may not use the topic's key is refused before a message
 * has gone anywhere.
 */
export async function publish(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly CheckedMessage[],
): Promise<Published> {
  const bodies = await seal(deps, call, topic, messages);
  const subscriptions = await subscriptionsOf(call.records, topic);
  const enveloped = subscriptions.some(({ value }) => !value.rawMessageDelivery);
  const batch: Batch = { deps, call, topic, subscriptions };
  const fanned = await Promise.all(
    messages.map(async (message, index) => {
      const notification = notificationOf(batch, message);
      const version = topicFacts(topic).signatureVersion;
      const signed = enveloped
        ? await signNotification(deps.signer, notification, version)
        : undefined;
      const sealed = bodies.sealed[index];
      if (!sealed) throw new Error("the sealer answers one sealed body for each body");
      return fanOut(batch, { notification, signed }, sealed);
    }),
  );
  return gather(batch, messages, bodies, fanned);
}

interface Batch {
  readonly deps: SnsDependencies;
  readonly call: Call;
  readonly topic: TopicRecord;
  readonly subscriptions: readonly RecordEntry<SubscriptionRecord>[];
}

async function seal(
  { sealer }: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly CheckedMessage[],
): Promise<SealedBodies> {
  const bodies = messages.map(({ body }) => Buffer.from(body, "utf8"));
  try {
    return await sealer.seal(call, topicFacts(topic).place, bodies);
  } catch (error) {
    throw kmsFailure(error, call);
  }
}

function notificationOf({ deps, call, topic }: Batch, message: CheckedMessage): Notification {
  const { body, subject, attributes, groupId } = message;
  return {
    messageId: deps.random.uuid(),
    topicArn: topic.arn,
    subject,
    body,
    attributes,
    groupId,
    publishedMs: call.now,
  };
}

interface Fanned {
  readonly messageId: string;
  readonly commands: readonly Command[];
  readonly committed: readonly (() => void)[];
  readonly failed: readonly { put: PutUndelivered; failure: DeliveryFailure }[];
  readonly delivered: number;
}

async function fanOut(batch: Batch, deliverable: Deliverable, sealed: Sealed): Promise<Fanned> {
  const { deps, call, subscriptions } = batch;
  const attempts = await Promise.all(
    subscriptions.map(({ value }) => deliver(deps, call, value, deliverable)),
  );
  const commands: Command[] = [];
  const committed: (() => void)[] = [];
  const failed: { put: PutUndelivered; failure: DeliveryFailure }[] = [];
  for (const [index, attempt] of attempts.entries()) {
    const subscriptionArn = subscriptions[index]?.value.arn ?? "";
    if (attempt.delivered) {
      for (const command of attempt.commands) commands.push(command);
      if (attempt.committed) committed.push(attempt.committed);
    } else {
      const { failure } = attempt;
      const { notification } = deliverable;
      failed.push({
        failure,
        put: undelivered(batch, subscriptionArn, notification, sealed, failure),
      });
    }
  }
  const delivered = attempts.length - failed.length;
  return { messageId: deliverable.notification.messageId, commands, committed, failed, delivered };
}

function undelivered(
  { deps, topic }: Batch,
  subscriptionArn: string,
  notification: Notification,
  sealed: Sealed,
  failure: DeliveryFailure,
): PutUndelivered {
  const { topicArn, messageId, publishedMs } = notification;
  const { accountId, region } = topic;
  const placeMac = deps.places.make(subscriptionArn, messageId, sealed.bytes);
  return {
    kind: "sns.undelivered.put",
    notification: {
      accountId,
      region,
      subscriptionArn,
      topicArn,
      messageId,
      sealed,
      metadata: metadataOf(notification, placeMac),
      publishedMs,
      attempts: 1,
      nextAttemptMs: nextAttemptMs(publishedMs, 1, failure),
      failureCode: failure.code,
      failureText: failure.text,
    },
  };
}

function gather(
  { deps }: Batch,
  messages: readonly CheckedMessage[],
  bodies: SealedBodies,
  fanned: readonly Fanned[],
): Published {
  const commands = fanned.flatMap((each) => each.commands);
  const committed = fanned.flatMap((each) => each.committed);
  const failed = fanned.flatMap((each) => each.failed);
  // A topic's data key is stored only with bodies that stay: those still to be delivered.
  if (failed.length > 0) {
    for (const command of bodies.commands) commands.push(command);
    for (const { put } of failed) commands.push(put);
  }
  return {
    messageIds: fanned.map(({ messageId }) => messageId),
    commands,
    committed: () => {
      for (const done of committed) done();
      if (failed.length > 0) bodies.stored();
      countPublished(deps, messages, fanned);
      for (const { put, failure } of failed) {
        const { subscriptionArn, messageId, attempts, nextAttemptMs: retryMs } = put.notification;
        reportFailure(deps, {
          subscriptionArn,
          messageId,
          attempts,
          failure,
          nextAttemptMs: retryMs,
        });
      }
    },
  };
}

function countPublished(
  { metrics }: SnsDependencies,
  messages: readonly CheckedMessage[],
  fanned: readonly Fanned[],
): void {
  const delivered = fanned.reduce((sum, each) => sum + each.delivered, 0);
  metrics.count("NumberOfMessagesPublished", messages.length);
  metrics.count(
    "PublishSize",
    messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  if (delivered > 0) metrics.count("NumberOfNotificationsDelivered", delivered);
}
