import type { SendMessageRequest } from "@aws-sdk/client-sqs";
import type { Wire } from "../../kernel/wire-types.ts";
import {
  type ConfirmationMessage,
  confirmationTextToSign,
  type Notification,
  renderConfirmation,
  renderEnvelope,
  type Signature,
  signText,
  subscribeUrl,
  textToSign,
  unsubscribeUrl,
} from "./envelope.ts";
import { queueAttributes } from "./message-attributes.ts";
import type { NotificationSigner } from "./ports.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/** What the deliveries of one notification have in common: it is signed once, if at all. */
export interface Deliverable {
  readonly notification: Notification;
  /** AWS: undefined on FIFO topics, whose notifications are not signed. */
  signature(): Promise<Signature | undefined>;
}

export function deliverable(
  signer: NotificationSigner,
  notification: Notification,
  version: "1" | "2",
): Deliverable {
  let signed: Promise<Signature> | undefined;
  return {
    notification,
    async signature() {
      if (notification.sequenceNumber !== undefined) return undefined;
      signed ??= signText(signer, version, textToSign(notification));
      return signed;
    },
  };
}

/** The JSON document that enveloped deliveries of all protocols carry. */
export async function envelopeOf(
  { notification, signature }: Deliverable,
  subscriptionArn: string,
  publicUrl: string,
): Promise<string> {
  const link = unsubscribeUrl(publicUrl, subscriptionArn);
  return renderEnvelope(notification, await signature(), link);
}

/** The JSON document of a confirmation, always signed. */
export async function confirmationDocument(
  signer: NotificationSigner,
  message: ConfirmationMessage,
  version: "1" | "2",
  publicUrl: string,
): Promise<string> {
  const link = subscribeUrl(publicUrl, message);
  const signature = await signText(signer, version, confirmationTextToSign(message, link));
  return renderConfirmation(message, signature, link);
}

type Content = Omit<Wire<SendMessageRequest>, "QueueUrl">;

/**
 * What a queue gets. AWS: a FIFO queue gets the group and the deduplication id; a standard queue
 * the group only from standard topics.
 */
export async function queueContent(
  subscription: SubscriptionRecord,
  message: Deliverable,
  publicUrl: string,
  fifoQueue: boolean,
): Promise<Content> {
  const { body, attributes, groupId, deduplicationId, sequenceNumber } = message.notification;
  const fifoTopic = sequenceNumber !== undefined;
  const ids = {
    ...(groupId !== undefined && (fifoQueue || !fifoTopic) ? { MessageGroupId: groupId } : {}),
    ...(fifoQueue ? { MessageDeduplicationId: deduplicationId } : {}),
  };
  if (!subscription.rawMessageDelivery) {
    return { MessageBody: await envelopeOf(message, subscription.arn, publicUrl), ...ids };
  }
  return {
    MessageBody: body,
    ...(attributes ? { MessageAttributes: queueAttributes(attributes) } : {}),
    ...ids,
  };
}
