import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { type Deliverable, queueContent } from "./deliverable.ts";
import { type DeliveryFailure, QueueTarget, sendToQueue } from "./delivery.ts";
import { effectiveDelivery } from "./delivery-policy.ts";
import type { SnsDependencies } from "./ports.ts";
import { deadLetterTarget } from "./redrive-policy.ts";
import {
  awsManagedSchedule,
  customerManagedSchedule,
  httpSchedule,
  type RetrySchedule,
  retryDelayMs,
} from "./retries.ts";
import { logStatus } from "./status-log.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/** A failed attempt at one delivery. */
export interface FailedDelivery {
  readonly topic: TopicRecord;
  readonly subscription: SubscriptionRecord;
  readonly message: Deliverable;
  /** This one included. */
  readonly attempts: number;
  readonly failure: DeliveryFailure;
}

/** What comes of a failed attempt. */
export interface SettledFailure {
  readonly commands: readonly Command[];
  /** Runs once they are durable. */
  readonly committed: () => void;
  /** What stays in the store; undefined: nothing, it is in the dead-letter queue or dropped. */
  readonly kept: KeptFailure | undefined;
}

export interface KeptFailure {
  readonly attempts: number;
  readonly nextAttemptMs: number | undefined;
  readonly givenUpMs: number | undefined;
  readonly failureCode: string;
  readonly failureText: string;
}

/**
 * Decides over a failed attempt: another one, the dead-letter queue, or given up. AWS drops what is
 * given up. DIFFERS: it is kept, sealed and visible, for as long as the operator likes.
 */
export async function settleFailure(
  deps: SnsDependencies,
  call: Call,
  failed: FailedDelivery,
): Promise<SettledFailure> {
  const { subscription, topic, attempts, failure } = failed;
  const delayMs = failure.retryable
    ? retryDelayMs(scheduleOf(topic, subscription), attempts)
    : undefined;
  const kept = keep(failed, delayMs === undefined ? undefined : call.now + delayMs, call.now);
  if (delayMs !== undefined) {
    return { commands: [], kept, committed: () => report(deps, failed, kept) };
  }
  if (subscription.redrivePolicy === undefined) return abandon(deps, failed, kept);
  return redrive(deps, call, failed, kept);
}

async function redrive(
  deps: SnsDependencies,
  call: Call,
  failed: FailedDelivery,
  kept: KeptFailure,
): Promise<SettledFailure> {
  const { subscription, topic, message } = failed;
  const queueArn = deadLetterTarget(subscription.redrivePolicy ?? "");
  const target = new QueueTarget(topic.arn, queueArn);
  const content = await queueContent(subscription, message, deps.publicUrl(), target.fifo);
  const sent = await sendToQueue(deps, call, target, content);
  if (sent.delivered) {
    return {
      commands: sent.commands,
      kept: undefined,
      committed() {
        sent.committed?.();
        report(deps, failed, kept);
        deps.metrics.count(topic.arn, "NumberOfNotificationsRedrivenToDlq", 1);
      },
    };
  }
  const failureText = `${kept.failureText}; dead-letter queue: ${sent.failure.text}`;
  if (sent.failure.retryable) {
    // The queue will be back; the notification itself has no attempts left to use up.
    const nextAttemptMs = call.now + awsManagedSchedule.delayMsMax;
    const waiting = { ...kept, failureText, nextAttemptMs, givenUpMs: undefined };
    return { commands: [], kept: waiting, committed: () => report(deps, failed, waiting) };
  }
  const lost = abandon(deps, failed, { ...kept, failureText });
  return {
    ...lost,
    committed() {
      lost.committed();
      deps.metrics.count(topic.arn, "NumberOfNotificationsFailedToRedriveToDlq", 1);
    },
  };
}

function abandon(deps: SnsDependencies, failed: FailedDelivery, kept: KeptFailure): SettledFailure {
  return {
    commands: [],
    kept: deps.undeliveredRetentionMs === 0 ? undefined : kept,
    committed: () => report(deps, failed, kept),
  };
}

function keep(
  { attempts, failure }: FailedDelivery,
  nextAttemptMs: number | undefined,
  nowMs: number,
): KeptFailure {
  return {
    attempts,
    nextAttemptMs,
    givenUpMs: nextAttemptMs === undefined ? nowMs : undefined,
    failureCode: failure.code,
    failureText: failure.text,
  };
}

/** AWS: each kind of endpoint has its own phases of retries. */
export function scheduleOf(topic: TopicRecord, subscription: SubscriptionRecord): RetrySchedule {
  switch (subscription.protocol) {
    case "http":
    case "https": {
      const { DeliveryPolicy } = topic.attributes;
      return httpSchedule(effectiveDelivery(DeliveryPolicy, subscription.deliveryPolicy).retry);
    }
    case "email":
    case "email-json":
    case "sms":
    case "application":
      return customerManagedSchedule;
    default:
      return awsManagedSchedule;
  }
}

/** Tells of a failed attempt, without a word of the body, and counts what was given up. */
function report(deps: SnsDependencies, failed: FailedDelivery, kept: KeptFailure): void {
  const { subscription, topic, attempts, failure, message } = failed;
  const { nextAttemptMs } = kept;
  deps.log.warn(
    nextAttemptMs === undefined ? "notification given up" : "notification not delivered yet",
    {
      subscriptionArn: subscription.arn,
      messageId: message.notification.messageId,
      attempts,
      code: failure.code,
      reason: kept.failureText,
      retryMs: nextAttemptMs,
    },
  );
  // AWS: http(s) endpoints count every failed attempt, all others the one that was the last.
  const everyAttempt = subscription.protocol === "http" || subscription.protocol === "https";
  if (everyAttempt || nextAttemptMs === undefined) {
    deps.metrics.count(topic.arn, "NumberOfNotificationsFailed", 1);
  }
  if (nextAttemptMs !== undefined) deps.retryAt?.(subscription.arn, nextAttemptMs);
  else logStatus(deps, { topic, subscription, message, attempts, failure });
}
