import { hash } from "node:crypto";
import type { Sealed } from "../../kernel/sealed.ts";
import type { ConfirmationMessage, Notification } from "./envelope.ts";
import type { KeptFailure } from "./failures.ts";
import { metadataOf } from "./notification-place.ts";
import { outboxCode, type PutUndelivered, type UndeliveredRow } from "./store.ts";
import type { Protocol, SubscriptionRecord } from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/** What stays readable of a notification beside its sealed body, as in AWS. */
type Metadata = Partial<
  Pick<
    Notification,
    "subject" | "attributes" | "groupId" | "deduplicationId" | "sequenceNumber" | "replayed"
  >
> & {
  /** Absent: a notification. */
  readonly kind?: ConfirmationMessage["kind"];
};

/** AWS has others carry these; here they wait for an operator. */
const outboxProtocols: readonly Protocol[] = ["sms", "application", "firehose"];

export function isOutbox(protocol: Protocol): boolean {
  return outboxProtocols.includes(protocol);
}

/** A notification that waits: for its first attempt, for another one, or to be looked at. */
export function putUndelivered(
  topic: Pick<TopicRecord, "arn" | "accountId" | "region">,
  subscription: Pick<SubscriptionRecord, "arn" | "protocol">,
  notification: Notification,
  sealed: Sealed,
  kept: KeptFailure,
): PutUndelivered {
  const { messageId, subject, attributes, groupId, deduplicationId } = notification;
  const { sequenceNumber, replayed } = notification;
  const metadata: Metadata = {
    subject,
    attributes,
    groupId,
    // INVARIANT: a digest of a body is nowhere in the clear; it is made again when it is needed.
    deduplicationId: notification.deduplicatedByContent ? undefined : deduplicationId,
    sequenceNumber,
    replayed,
  };
  const order =
    sequenceNumber === undefined
      ? {}
      : { groupId: notification.groupId, sequence: orderOf(sequenceNumber) };
  return {
    kind: "sns.undelivered.put",
    notification: {
      accountId: topic.accountId,
      region: topic.region,
      subscriptionArn: subscription.arn,
      topicArn: topic.arn,
      messageId,
      sealed,
      metadata: JSON.stringify(metadata),
      publishedMs: notification.publishedMs,
      ...order,
      ...kept,
    },
  };
}

/** Sequence numbers begin with a 1 and zeros: the rest of them is a safe integer. */
export function orderOf(sequenceNumber: string): number {
  return Number(sequenceNumber.slice(1));
}

/** What has not been tried yet; for the outbox, what nobody here will try. */
export function firstState(protocol: Protocol, nowMs: number): KeptFailure {
  if (isOutbox(protocol)) {
    const failureText = `Sealpost carries no ${protocol} messages; an operator reads them here`;
    return {
      attempts: 0,
      nextAttemptMs: undefined,
      givenUpMs: nowMs,
      failureCode: outboxCode,
      failureText,
    };
  }
  return {
    attempts: 0,
    nextAttemptMs: nowMs,
    givenUpMs: undefined,
    failureCode: "",
    failureText: "",
  };
}

/** Metadata of an archived message that is delivered once more. AWS: it says so. */
export function replayMetadata(row: UndeliveredRow, deduplicationId: string): string {
  const metadata: Metadata = JSON.parse(metadataOf(row));
  return JSON.stringify({ ...metadata, deduplicationId, replayed: true });
}

/** A confirmation on its way. Its body is sealed: it holds the token. */
export function putConfirmation(
  topic: TopicRecord,
  message: ConfirmationMessage,
  sealed: Sealed,
): PutUndelivered {
  const { subscriptionArn, messageId, kind } = message;
  return {
    kind: "sns.undelivered.put",
    notification: {
      accountId: topic.accountId,
      region: topic.region,
      subscriptionArn,
      topicArn: topic.arn,
      messageId,
      sealed,
      metadata: JSON.stringify({ kind }),
      publishedMs: message.sentMs,
      attempts: 0,
      nextAttemptMs: message.sentMs,
      failureCode: "",
      failureText: "",
    },
  };
}

/** What the sealed body of a confirmation says. */
export interface ConfirmationBody {
  readonly token: string;
  /** The subscription as it was: a cancelled one is in no record any more. */
  readonly subscription: SubscriptionRecord;
}

/** The notification or confirmation of a stored row whose body was opened. */
export type OpenedRow =
  | { readonly kind: "notification"; readonly notification: Notification }
  | {
      readonly kind: "confirmation";
      readonly message: ConfirmationMessage;
      readonly subscription: SubscriptionRecord;
    };

export function openedRow(row: UndeliveredRow, body: string): OpenedRow {
  const { kind, ...metadata }: Partial<Metadata> = JSON.parse(metadataOf(row));
  const { messageId, topicArn, subscriptionArn, publishedMs } = row;
  if (kind === undefined) {
    const { subject, attributes, groupId, sequenceNumber, replayed } = metadata;
    const byContent = sequenceNumber !== undefined && metadata.deduplicationId === undefined;
    const deduplicationId = byContent ? hash("sha256", body, "hex") : metadata.deduplicationId;
    const given = { subject, attributes, groupId, deduplicationId, sequenceNumber, replayed };
    return {
      kind: "notification",
      notification: { messageId, topicArn, body, publishedMs, ...given },
    };
  }
  const { token, subscription }: ConfirmationBody = JSON.parse(body);
  return {
    kind: "confirmation",
    message: { kind, messageId, topicArn, subscriptionArn, token, sentMs: publishedMs },
    subscription,
  };
}
