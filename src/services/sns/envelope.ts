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
  readonly publishedMs: number;
}

/** A notification with its signature: what all enveloped deliveries of it have in common. */
export interface SignedNotification {
  readonly notification: Notification;
  readonly version: "1" | "2";
  readonly signature: string;
  readonly certificateUrl: string;
}

export async function signNotification(
  signer: NotificationSigner,
  notification: Notification,
  version: "1" | "2",
): Promise<SignedNotification> {
  const signature = await signer.sign(version, textToSign(notification));
  return { notification, version, signature, certificateUrl: signer.certificateUrl() };
}

/** AWS: the signed members in byte order of their names, each followed by its value. */
export function textToSign(notification: Notification): string {
  const { body, messageId, subject, publishedMs, topicArn } = notification;
  const subjectLines = subject === undefined ? "" : `Subject\n${subject}\n`;
  return (
    `Message\n${body}\nMessageId\n${messageId}\n${subjectLines}` +
    `Timestamp\n${timestamp(publishedMs)}\nTopicArn\n${topicArn}\nType\nNotification\n`
  );
}

/** AWS: the JSON document of an enveloped delivery, in its customary order and layout. */
export function renderEnvelope(
  { notification, version, signature, certificateUrl }: SignedNotification,
  unsubscribeUrl: string,
): string {
  const { subject, attributes } = notification;
  const lines = [
    member("Type", "Notification"),
    member("MessageId", notification.messageId),
    member("TopicArn", notification.topicArn),
  ];
  if (subject !== undefined) lines.push(member("Subject", subject));
  lines.push(
    member("Message", notification.body),
    member("Timestamp", timestamp(notification.publishedMs)),
    member("SignatureVersion", version),
    member("Signature", signature),
    member("SigningCertURL", certificateUrl),
    member("UnsubscribeURL", unsubscribeUrl),
  );
  if (attributes) lines.push(`  "MessageAttributes" : ${renderAttributes(attributes)}`);
  return `{\n${lines.join(",\n")}\n}`;
}

export function unsubscribeUrl(publicUrl: string, subscriptionArn: string): string {
  return `${publicUrl}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;
}

function member(name: string, value: string): string {
  return `  "${name}" : ${JSON.stringify(value)}`;
}

function renderAttributes(attributes: NotificationAttributes): string {
  const lines = Object.entries(attributes).map(
    ([name, { Type, Value }]) => `    ${JSON.stringify(name)} : ${JSON.stringify({ Type, Value })}`,
  );
  return `{\n${lines.join(",\n")}\n  }`;
}

function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
