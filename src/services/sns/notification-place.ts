import type { NotificationPlaces } from "./ports.ts";
import type { PutUndelivered, UndeliveredRow } from "./store.ts";

/**
 * Ties a stored notification to its subscription, message, body and metadata: whoever writes to the
 * store's file can lead it to no other endpoint. The MAC stands on a line before the metadata.
 */
export function placed(places: NotificationPlaces, put: PutUndelivered): PutUndelivered {
  const { subscriptionArn, messageId, sealed, metadata } = put.notification;
  const place = { subscriptionArn, messageId, bytes: sealed.bytes };
  const notification = { ...put.notification, metadata: placedMetadata(places, place, metadata) };
  return { ...put, notification };
}

/** Metadata as it is stored in this place. */
export function placedMetadata(
  places: NotificationPlaces,
  place: Pick<UndeliveredRow, "subscriptionArn" | "messageId" | "bytes">,
  metadata: string,
): string {
  const { subscriptionArn, messageId, bytes } = place;
  const mac = places.make(subscriptionArn, messageId, covered(bytes, metadata));
  return `${Buffer.from(mac).toString("base64")}\n${metadata}`;
}

/** Whether the row is where it was put, of this topic. */
export function isInPlace(
  places: NotificationPlaces,
  topicArn: string,
  row: UndeliveredRow,
): boolean {
  if (row.topicArn !== topicArn || row.dataKey.sealingArn !== topicArn) return false;
  const [line = ""] = row.metadata.split("\n", 1);
  const mac = Buffer.from(line, "base64");
  const bytes = covered(row.bytes, metadataOf(row));
  return places.verify(row.subscriptionArn, row.messageId, bytes, mac);
}

/** The metadata of a placed row. */
export function metadataOf({ metadata }: Pick<UndeliveredRow, "metadata">): string {
  return metadata.slice(metadata.indexOf("\n") + 1);
}

/** An envelope authenticates its own length, so no byte can change sides. */
function covered(envelope: Uint8Array, metadata: string): Uint8Array {
  return Buffer.concat([envelope, Buffer.from(metadata)]);
}
