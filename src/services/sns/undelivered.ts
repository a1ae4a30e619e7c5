import type { Notification } from "./envelope.ts";
import type { NotificationPlaces } from "./ports.ts";
import type { UndeliveredRow } from "./store.ts";

/** What stays readable of a notification beside its sealed body, as in AWS. */
type Metadata = Pick<Notification, "subject" | "attributes" | "groupId">;

/** `placeMac` (base64) ties the row to its subscription, message and body. */
type StoredMetadata = Metadata & { readonly placeMac: string };

export function metadataOf(notification: Notification, placeMac: Uint8Array): string {
  const { subject, attributes, groupId } = notification;
  const mac = Buffer.from(placeMac).toString("base64");
  const metadata: StoredMetadata = { subject, attributes, groupId, placeMac: mac };
  return JSON.stringify(metadata);
}

/** Whether a stored notification is where it was put: of this topic, subscription and message. */
export function isInPlace(
  places: NotificationPlaces,
  topicArn: string,
  { subscriptionArn, messageId, bytes, dataKey, metadata, ...row }: UndeliveredRow,
): boolean {
  if (row.topicArn !== topicArn || dataKey.sealingArn !== topicArn) return false;
  const mac = Buffer.from(placeMacOf(metadata), "base64");
  return places.verify(subscriptionArn, messageId, bytes, mac);
}

function placeMacOf(metadata: string): string {
  try {
    const { placeMac }: Partial<StoredMetadata> = JSON.parse(metadata);
    return String(placeMac);
  } catch {
    return "";
  }
}

/** The notification of a stored row whose body was opened. */
export function notificationOfRow(row: UndeliveredRow, body: string): Notification {
  const metadata: Partial<Metadata> = JSON.parse(row.metadata);
  return {
    messageId: row.messageId,
    topicArn: row.topicArn,
    subject: metadata.subject,
    attributes: metadata.attributes,
    groupId: metadata.groupId,
    body,
    publishedMs: row.publishedMs,
  };
}
