import type { Deliverable } from "./deliverable.ts";
import type { DeliveryFailure, DeliveryStatus } from "./delivery.ts";
import type { SnsDependencies } from "./ports.ts";
import type { Protocol, SubscriptionRecord } from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/** How the attributes that switch the logs on begin, by protocol. AWS: mail and SMS have none. */
const prefixes: Readonly<Partial<Record<Protocol, string>>> = {
  sqs: "SQS",
  http: "HTTP",
  https: "HTTP",
  lambda: "Lambda",
  firehose: "Firehose",
  application: "Application",
};

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
  const prefix = prefixes[subscription.protocol];
  if (!statusLog || prefix === undefined) return;
  const { attributes } = topic;
  const outcome = failure ? "Failure" : "Success";
  if (attributes[`${prefix}${outcome}FeedbackRoleArn`] === undefined) return;
  const rate = Number(attributes[`${prefix}SuccessFeedbackSampleRate`] ?? 100);
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
