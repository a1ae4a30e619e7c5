import type { NotificationAttributes } from "./message-attributes.ts";
import type { NotificationSigner } from "./ports.ts";

/** A notification as its receivers see it. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly body: string;
  readonly attributes: NotificationAttributes | undefined;
  readonly groupId: string | undefined;
  /** FIFO topics. */
  readonly deduplicationId: string | undefined;
  /** It is a digest of the message, and goes nowhere that the message itself may not go. */
  readonly deduplicatedByContent?: boolean | undefined;
  /** FIFO topics: 20 digits. */
  readonly sequenceNumber: string | undefined;
  /** It comes from the topic's archive. */
  readonly replayed?: boolean | undefined;
  readonly publishedMs: number;
}

/** A message that asks for a confirmation, or tells that a subscription was cancelled. */
export interface ConfirmationMessage {
  readonly kind: "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  readonly messageId: string;
  readonly topicArn: string;
  readonly subscriptionArn: string;
  readonly token: string;
  readonly sentMs: number;
}

export interface Signature {
  readonly version: "1" | "2";
  readonly signature: string;
  readonly certificateUrl: string;
}

export async function signText(
  signer: NotificationSigner,
  version: "1" | "2",
  text: string,
): Promise<Signature> {
  const signature = await signer.sign(version, text);
  return { version, signature, certificateUrl: signer.certificateUrl() };
}

/** What of a notification is signed. */
export type SignedPart = Pick<
  Notification,
  "body" | "messageId" | "subject" | "publishedMs" | "topicArn"
>;

/** AWS: the signed members in byte order of their names, each followed by its value. */
export function textToSign(part: SignedPart): string {
  const { body, messageId, subject, publishedMs, topicArn } = part;
  const subjectLines = subject === undefined ? "" : `Subject\n${subject}\n`;
  return (
    `Message\n${body}\nMessageId\n${messageId}\n${subjectLines}` +
    `Timestamp\n${timestamp(publishedMs)}\nTopicArn\n${topicArn}\nType\nNotification\n`
  );
}

/** The signed part of an enveloped delivery, read from the document. */
export function signedPartOf(envelope: string): SignedPart {
  // This server wrote the document.
  const { Message, MessageId, Subject, Timestamp, TopicArn } = JSON.parse(envelope) as Readonly<
    Record<string, string>
  >;
  return {
    body: Message ?? "",
    messageId: MessageId ?? "",
    subject: Subject,
    publishedMs: Date.parse(Timestamp ?? ""),
    topicArn: TopicArn ?? "",
  };
}

/** A document but for the link, which each subscription has its own of. */
export interface Envelope {
  readonly head: string;
  readonly tail: string;
}

/**
 * AWS: the JSON document of an enveloped delivery, in its customary order and layout. Notifications
 * of FIFO topics carry a sequence number in place of a signature.
 */
export function envelopeOf(notification: Notification, signature: Signature | undefined): Envelope {
  const { subject, attributes, sequenceNumber, replayed } = notification;
  const before = [
    member("Type", "Notification"),
    member("MessageId", notification.messageId),
    ...optional("SequenceNumber", sequenceNumber),
    member("TopicArn", notification.topicArn),
    ...optional("Subject", subject),
    member("Message", notification.body),
    member("Timestamp", timestamp(notification.publishedMs)),
    ...(signature ? signatureMembers(signature) : []),
  ];
  const after = [
    ...(replayed ? [member("Replayed", "true")] : []),
    ...(attributes ? [`  "MessageAttributes" : ${renderAttributes(attributes)}`] : []),
  ];
  return {
    head: `{\n${before.join(",\n")}`,
    tail: `${after.map((line) => `,\n${line}`).join("")}\n}`,
  };
}

export function renderEnvelope({ head, tail }: Envelope, unsubscribeUrl: string): string {
  return head + unsubscribeMember(unsubscribeUrl) + tail;
}

/** What stands between head and tail. */
export function unsubscribeMember(unsubscribeUrl: string): string {
  return `,\n${member("UnsubscribeURL", unsubscribeUrl)}`;
}

/** The byte of an envelope before which its signature belongs, when it was made with an empty one. */
export function signatureAt({ head }: Envelope, certificateUrl: string): number {
  const behind = `",\n${member("SigningCertURL", certificateUrl)}`;
  return Buffer.byteLength(head) - Buffer.byteLength(behind);
}

export function unsubscribeUrl(publicUrl: string, subscriptionArn: string): string {
  return `${publicUrl}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;
}

export function confirmationTextToSign(message: ConfirmationMessage, subscribeUrl: string): string {
  return (
    `Message\n${confirmationText(message)}\nMessageId\n${message.messageId}\n` +
    `SubscribeURL\n${subscribeUrl}\nTimestamp\n${timestamp(message.sentMs)}\n` +
    `Token\n${message.token}\nTopicArn\n${message.topicArn}\nType\n${message.kind}\n`
  );
}

/** AWS: the JSON document of both kinds of confirmation. */
export function renderConfirmation(
  message: ConfirmationMessage,
  signature: Signature,
  subscribeUrl: string,
): string {
  return render([
    member("Type", message.kind),
    member("MessageId", message.messageId),
    member("Token", message.token),
    member("TopicArn", message.topicArn),
    member("Message", confirmationText(message)),
    member("SubscribeURL", subscribeUrl),
    member("Timestamp", timestamp(message.sentMs)),
    ...signatureMembers(signature),
  ]);
}

/** AWS: opened by anybody who has it, it confirms (or restores) the subscription. */
export function subscribeUrl(publicUrl: string, { topicArn, token }: ConfirmationMessage): string {
  return `${publicUrl}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`;
}

export function confirmationText({ kind, topicArn, subscriptionArn }: ConfirmationMessage): string {
  if (kind === "SubscriptionConfirmation") {
    return (
      `You have chosen to subscribe to the topic ${topicArn}.\n` +
      "To confirm the subscription, visit the SubscribeURL included in this message."
    );
  }
  return (
    `You have chosen to deactivate subscription ${subscriptionArn}.\n` +
    "To cancel this operation and restore the subscription, visit the SubscribeURL included in " +
    "this message."
  );
}

export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

function signatureMembers({ version, signature, certificateUrl }: Signature): readonly string[] {
  return [
    member("SignatureVersion", version),
    member("Signature", signature),
    member("SigningCertURL", certificateUrl),
  ];
}

function render(lines: readonly string[]): string {
  return `{\n${lines.join(",\n")}\n}`;
}

function member(name: string, value: string): string {
  return `  "${name}" : ${JSON.stringify(value)}`;
}

function optional(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [member(name, value)];
}

function renderAttributes(attributes: NotificationAttributes): string {
  const lines = Object.entries(attributes).map(
    ([name, { Type, Value }]) => `    ${JSON.stringify(name)} : ${JSON.stringify({ Type, Value })}`,
  );
  return `{\n${lines.join(",\n")}\n  }`;
}
