import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { type Deliverable, queueContent } from "./deliverable.ts";
import { type Attempt, type DeliveryFailure, sendToQueue, targetOf } from "./delivery.ts";
import { settleFailure } from "./failures.ts";
import type { CheckedMessage } from "./message.ts";
import { placed } from "./notification-place.ts";
import type { SnsDependencies } from "./ports.ts";
import { logStatus } from "./status-log.ts";
import type { PutUndelivered } from "./store.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";
import type { PutArchived } from "./topic-store.ts";
import type { TopicRecord } from "./topics.ts";
import { firstState, putUndelivered } from "./undelivered.ts";

/** Messages that are published together. */
export interface Batch {
  readonly deps: SnsDependencies;
  readonly call: Call;
  readonly topic: TopicRecord;
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

/** What stays of a message, once its body is sealed. */
export interface Left {
  readonly message: CheckedMessage;
  readonly body: string;
  put(sealed: Sealed): PutUndelivered | PutArchived;
}

/** What comes of one delivery. */
export interface Delivery {
  readonly commands: readonly Command[];
  readonly left: Left | undefined;
  committed?(): void;
}

const nothing: readonly Command[] = [];

/** A queue of this server takes it in the commit that makes the publication true. */
export function deliverNow(
  batch: Batch,
  numbered: Numbered,
  subscription: SubscriptionRecord,
  message: Deliverable,
): Soon<Delivery> {
  const { deps, call } = batch;
  const target = targetOf(subscription);
  const content = queueContent(subscription, message, deps.publicUrl(), target.fifo);
  return soon(content, (known) =>
    soon(sendToQueue(deps, call, target, known), (tried) =>
      tried.delivered
        ? new Delivered(batch, subscription, message, tried)
        : failedNow(batch, numbered, subscription, message, tried.failure),
    ),
  );
}

/** In the queue. */
class Delivered implements Delivery {
  readonly commands: readonly Command[];
  readonly left = undefined;
  readonly #batch: Batch;
  readonly #subscription: SubscriptionRecord;
  readonly #message: Deliverable;
  readonly #attempt: Attempt & { delivered: true };

  constructor(
    batch: Batch,
    subscription: SubscriptionRecord,
    message: Deliverable,
    attempt: Attempt & { delivered: true },
  ) {
    this.commands = attempt.commands;
    this.#batch = batch;
    this.#subscription = subscription;
    this.#message = message;
    this.#attempt = attempt;
  }

  committed(): void {
    const { deps, topic } = this.#batch;
    this.#attempt.committed?.();
    deps.metrics.count(topic.arn, "NumberOfNotificationsDelivered", 1);
    logStatus(deps, {
      topic,
      subscription: this.#subscription,
      message: this.#message,
      attempts: 1,
      status: this.#attempt.status,
    });
  }
}

async function failedNow(
  batch: Batch,
  numbered: Numbered,
  subscription: SubscriptionRecord,
  message: Deliverable,
  failure: DeliveryFailure,
): Promise<Delivery> {
  const { deps, call, topic } = batch;
  const failed = { topic, subscription, message, attempts: 1, failure };
  const { kept, commands, committed } = await settleFailure(deps, call, failed);
  const left = kept && leftFor(batch, numbered, subscription, message, kept);
  return { commands, left, committed };
}

/** Stored for the worker: the publisher waits for no endpoint outside. */
export function deliverLater(
  batch: Batch,
  numbered: Numbered,
  subscription: SubscriptionRecord,
  message: Deliverable,
): Delivery {
  const { deps, call } = batch;
  const kept = firstState(subscription.protocol, call.now);
  const { nextAttemptMs } = kept;
  return {
    commands: nothing,
    left: leftFor(batch, numbered, subscription, message, kept),
    committed() {
      if (nextAttemptMs !== undefined) deps.retryAt?.(subscription.arn, nextAttemptMs);
    },
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
