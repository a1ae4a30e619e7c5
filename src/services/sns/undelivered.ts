import type { Notification } from "./envelope.ts";
import type { UndeliveredRow } from "./store.ts";

/** What stays readable of a notification beside its sealed body, as in AWS. */
type Metadata = Pick<Notification, "subject" | "attributes" | "groupId">;

export function metadataOf({ subject, attributes, groupId }: Notification): string {
  const metadata: Metadata = { subject, attributes, groupId };
  return JSON.stringify(metadata);
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
