import type { SendMessageRequest } from "@aws-sdk/client-sqs";
import type { FillGap, Gap } from "../../kernel/gapped.ts";
import { SharedText } from "../../kernel/shared-text.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import {
  type ConfirmationMessage,
  confirmationTextToSign,
  type Envelope,
  envelopeOf,
  type Notification,
  renderConfirmation,
  renderEnvelope,
  type Signature,
  signatureAt,
  signedPartOf,
  signText,
  subscribeUrl,
  textToSign,
  unsubscribeMember,
  unsubscribeUrl,
} from "./envelope.ts";
import { queueAttributes } from "./message-attributes.ts";
import type { NotificationSigner } from "./ports.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/**
 * What the deliveries of one notification have in common. It is signed once, if at all: never while
 * the publisher waits, but behind its answer, or when the first receiver asks.
 *
 * AWS: notifications of FIFO topics are not signed.
 */
export interface Deliverable {
  readonly notification: Notification;
  /** Its body as it is, for deliveries without an envelope. */
  readonly rawBody: SharedText;
  /** For a delivery that leaves now: waits until it is made. */
  signature(): Promise<Signature | undefined>;
  /** For a delivery that stays in the server: the signature's place is held. */
  unsigned(): Promise<UnsignedEnvelope>;
  /** Has what was left unsigned signed, once it is durable. */
  signAhead(): void;
}

export interface UnsignedEnvelope {
  /**
   * The envelope but for the link by which a subscription ends: each has its own. Without a gap no
   * signature is missing.
   */
  readonly shared: SharedText;
  /** How many bytes come after the link. */
  readonly linkBefore: number;
}

function unsignedEnvelope(envelope: Envelope, gap: Gap | undefined): UnsignedEnvelope {
  const { head, tail } = envelope;
  return { shared: new SharedText(head + tail, gap), linkBefore: Buffer.byteLength(tail) };
}

export function deliverable(
  signer: NotificationSigner,
  notification: Notification,
  version: "1" | "2",
): Deliverable {
  const text = () => textToSign(notification);
  const fifoTopic = notification.sequenceNumber !== undefined;
  let unsigned: Promise<UnsignedEnvelope> | undefined;
  let left: { readonly name: string; readonly text: string } | undefined;
  const leaveGap = async (): Promise<UnsignedEnvelope> => {
    if (fifoTopic) return unsignedEnvelope(envelopeOf(notification, undefined), undefined);
    await signer.prepare();
    left = { text: text(), name: signer.nameOf(version, text()) };
    const certificateUrl = signer.certificateUrl();
    const envelope = envelopeOf(notification, { version, signature: "", certificateUrl });
    const at = signatureAt(envelope, certificateUrl);
    return unsignedEnvelope(envelope, { at, bytes: signer.signatureChars, note: left.name });
  };
  return {
    notification,
    rawBody: new SharedText(notification.body),
    async signature() {
      return fifoTopic ? undefined : signText(signer, version, text());
    },
    unsigned() {
      unsigned ??= leaveGap();
      return unsigned;
    },
    signAhead() {
      if (left) signer.ahead(left.name, left.text);
    },
  };
}

/** Signs what `Deliverable.unsigned` left. */
export function fillSignature(signer: NotificationSigner): FillGap {
  return async ({ text, gap }) => {
    const signature = await signer.signed(gap.note, () =>
      textToSign(signedPartOf(text.toString("utf8"))),
    );
    return Buffer.from(signature, "latin1");
  };
}

/** The JSON document that enveloped deliveries to the outside carry. */
export async function signedEnvelope(
  { notification, signature }: Deliverable,
  subscriptionArn: string,
  publicUrl: string,
): Promise<string> {
  const link = unsubscribeUrl(publicUrl, subscriptionArn);
  return renderEnvelope(envelopeOf(notification, await signature()), link);
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

/** A message to a queue of this server; it may lack its signature until it is received. */
export interface QueueContent extends Omit<Wire<SendMessageRequest>, "QueueUrl"> {
  /** The body, which other queues get as well. */
  readonly shared?: SharedText | undefined;
  /** What this queue's copy has beside it; so many bytes of the text come after it. */
  readonly inserted?: { readonly before: number; readonly text: string } | undefined;
}

/**
 * What a queue gets. AWS: a FIFO queue gets the group and the deduplication id; a standard queue
 * the group only from standard topics.
 */
export function queueContent(
  subscription: SubscriptionRecord,
  message: Deliverable,
  publicUrl: string,
  fifoQueue: boolean,
): Soon<QueueContent> {
  const { body, attributes, groupId, deduplicationId, sequenceNumber } = message.notification;
  const fifoTopic = sequenceNumber !== undefined;
  const ids = {
    MessageGroupId: fifoQueue || !fifoTopic ? groupId : undefined,
    MessageDeduplicationId: fifoQueue ? deduplicationId : undefined,
  };
  if (!subscription.rawMessageDelivery) {
    const text = unsubscribeMember(unsubscribeUrl(publicUrl, subscription.arn));
    return soon(message.unsigned(), ({ shared, linkBefore }) => {
      return {
        MessageBody: shared.text,
        shared,
        inserted: { before: linkBefore, text },
        MessageAttributes: undefined,
        ...ids,
      };
    });
  }
  return {
    MessageBody: body,
    shared: message.rawBody,
    inserted: undefined,
    MessageAttributes: attributes && queueAttributes(attributes),
    ...ids,
  };
}
