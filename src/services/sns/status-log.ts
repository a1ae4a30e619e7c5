import type { Deliverable } from "./deliverable.ts";
import type { DeliveryFailure, DeliveryStatus } from "./delivery.ts";
import type { SnsDependencies } from "./ports.ts";
import type { Protocol, SubscriptionRecord } from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/** The attributes that switch the logs on, by protocol. AWS: mail and SMS have none. */
const switches: Readonly<Partial<Record<Protocol, Switches>>> = {
  sqs: switchesOf("SQS"),
  http: switchesOf("HTTP"),
  https: switchesOf("HTTP"),
  lambda: switchesOf("Lambda"),
  firehose: switchesOf("Firehose"),
  application: switchesOf("Application"),
};

type Switches = ReturnType<typeof switchesOf>;

/** Whole names: nearly every delivery only looks whether one is there. */
function switchesOf(prefix: string) {
  return {
    success: `${prefix}SuccessFeedbackRoleArn`,
    failure: `${prefix}FailureFeedbackRoleArn`,
    rate: `${prefix}SuccessFeedbackSampleRate`,
  };
}

export interface FinishedDelivery {
  readonly topic: TopicRecord;
  readonly subscription: SubscriptionRecord;
  readonly message: Deliverable;
  readonly attempts: number;
  readonly status?: DeliveryStatus;
  readonly failure?: DeliveryFailure;
  /** From publication to delivery. */
  readonly dwellMs?: number;
}

/**
 * Writes AWS's delivery status event: failures where a failure role is set, successes where a
 * success role is, as often as the sample rate says. DIFFERS: `messageMD5Sum` is null; a digest of
 * the body would let a guess at it be confirmed.
 */
export function logStatus(
  { statusLog, random }: SnsDependencies,
  finished: FinishedDelivery,
): void {
  const { topic, subscription, message, failure, status } = finished;
  const names = switches[subscription.protocol];
  if (!statusLog || names === undefined) return;
  const { attributes } = topic;
  if (attributes[failure ? names.failure : names.success] === undefined) return;
  const rate = Number(attributes[names.rate] ?? 100);
  if (!failure && random.bytes(4).readUInt32BE() % 100 >= rate) return;
  const { notification } = message;
  const group = `sns/${topic.region}/${topic.accountId}/${topic.name}`;
  statusLog.write(failure ? `${group}/Failure` : group, {
    notification: {
      messageMD5Sum: null,
      messageId: notification.messageId,
      topicArn: topic.arn,
      timestamp: new Date(notification.publishedMs).toISOString().replace("T", " ").slice(0, -1),
    },
    delivery: {
      deliveryId: random.uuid(),
      destination: subscription.endpoint,
      providerResponse: failure
        ? JSON.stringify({ ErrorCode: failure.code, ErrorMessage: failure.text })
        : status?.response(),
      dwellTimeMs: finished.dwellMs ?? 0,
      statusCode: failure?.statusCode ?? status?.statusCode,
      ...(failure ? { attempts: finished.attempts } : {}),
    },
    status: failure ? "FAILURE" : "SUCCESS",
  });
}
