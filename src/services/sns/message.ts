import { hash } from "node:crypto";
import type { PublishBatchRequestEntry } from "@aws-sdk/client-sns";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidParameter } from "./errors.ts";
import { checkMessageAttributes, type NotificationAttributes } from "./message-attributes.ts";
import { platforms } from "./push.ts";
import { type Protocol, protocols, type SubscriptionRecord } from "./subscriptions.ts";

/** A published message that passed all checks. */
export interface CheckedMessage {
  /** The message, or its `default` part (MessageStructure=json). */
  readonly body: string;
  /** MessageStructure=json: parts for some protocols and push platforms. */
  readonly parts?: ReadonlyMap<string, string> | undefined;
  readonly subject: string | undefined;
  readonly attributes: NotificationAttributes | undefined;
  /** AWS: on standard topics it is handed on to the queues (fair queues). */
  readonly groupId: string | undefined;
  /** FIFO topics: a message with the same id within 5 minutes is this one. */
  readonly deduplicationId: string | undefined;
  /** It is the digest of the message, not an id that the publisher gave. */
  readonly deduplicatedByContent: boolean;
  /** AWS: message and attributes; the subject does not count. */
  readonly sizeBytes: number;
}

type Given = Omit<Wire<PublishBatchRequestEntry>, "Id">;

/** What a subscription with this protocol gets of a message. */
export function bodyFor({ body, parts }: CheckedMessage, protocol: Protocol): string {
  return parts?.get(protocol) ?? body;
}

/** What a subscription gets. AWS: a device has the part of its platform. */
export function bodyForSubscription(
  message: CheckedMessage,
  { protocol, endpoint }: Pick<SubscriptionRecord, "protocol" | "endpoint">,
): string {
  const platform = protocol === "application" ? (endpoint.split("/")[1] ?? "") : "";
  return message.parts?.get(platform) ?? bodyFor(message, protocol);
}

/** What tells how a message must look: of its topic, or of none (a phone). */
export interface MessageRules {
  readonly fifo: boolean;
  readonly contentBasedDeduplication: boolean;
  /** Duplicates are those of the same group. */
  readonly deduplicatesByGroup: boolean;
}

/**
 * Checks a message. `attributesPath` is where its attributes stand in the request. Throws
 * InvalidParameter and ParameterValueInvalid with AWS's texts.
 */
export function checkMessage(
  given: Given,
  attributesPath: string,
  rules: MessageRules,
): CheckedMessage {
  const { Message, Subject, MessageStructure, MessageAttributes } = given;
  if (!Message) throw invalidParameter("Empty message");
  if (Subject !== undefined && !isSubject(Subject)) throw invalidParameter("Subject");
  const { attributes, sizeBytes } = checkMessageAttributes(MessageAttributes, attributesPath);
  const { body, parts } = resolveStructure(Message, MessageStructure);
  const { groupId, deduplicationId, deduplicatedByContent } = checkIds(given, rules);
  return {
    body,
    parts,
    subject: Subject,
    attributes,
    groupId,
    deduplicationId,
    deduplicatedByContent,
    sizeBytes: sizeBytes + Buffer.byteLength(Message),
  };
}

/**
 * AWS: FIFO topics demand a group, and an id by which duplicates are known: given, or the SHA-256
 * of the message.
 */
function checkIds(
  { Message, MessageGroupId, MessageDeduplicationId }: Given,
  { fifo, contentBasedDeduplication }: MessageRules,
): Pick<CheckedMessage, "groupId" | "deduplicationId" | "deduplicatedByContent"> {
  if (!fifo && MessageDeduplicationId !== undefined) {
    throw invalidParameter(
      "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter " +
        "that is not valid for this topic type",
    );
  }
  if (fifo && MessageGroupId === undefined) {
    throw invalidParameter("The MessageGroupId parameter is required for FIFO topics");
  }
  if (MessageGroupId !== undefined && !isId(MessageGroupId)) {
    throw invalidParameter("MessageGroupId Reason: The provided MessageGroupId is invalid");
  }
  if (MessageDeduplicationId !== undefined && !isId(MessageDeduplicationId)) {
    const text = "The provided MessageDeduplicationId is invalid";
    throw invalidParameter(`MessageDeduplicationId Reason: ${text}`);
  }
  const groupId = MessageGroupId;
  if (!fifo) return { groupId, deduplicationId: undefined, deduplicatedByContent: false };
  if (MessageDeduplicationId === undefined && !contentBasedDeduplication) {
    throw invalidParameter(
      "The topic should either have ContentBasedDeduplication enabled or " +
        "MessageDeduplicationId provided explicitly",
    );
  }
  const deduplicatedByContent = MessageDeduplicationId === undefined;
  const deduplicationId = MessageDeduplicationId ?? hash("sha256", Message, "hex");
  return { groupId, deduplicationId, deduplicatedByContent };
}

/** AWS: 1 to 100 characters, no line breaks, no control characters. */
function isSubject(subject: string): boolean {
  if (subject === "" || subject.length > 100) return false;
  for (let index = 0; index < subject.length; index += 1) {
    const code = subject.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

/** AWS: 1 to 128 alphanumeric characters and punctuation. AWS?: the text of the refusal. */
function isId(id: string): boolean {
  return /^[!-~]{1,128}$/.test(id);
}

function resolveStructure(
  message: string,
  structure: string | undefined,
): Pick<CheckedMessage, "body" | "parts"> {
  if (structure === undefined || structure === "") return { body: message };
  // AWS?: the text for another structure than json.
  if (structure !== "json") throw invalidParameter("MessageStructure");
  const parsed = parseObject(message);
  if (!parsed) {
    throw invalidParameter("Message Structure - JSON message body failed to parse");
  }
  const body = ownText(parsed, "default");
  if (body === undefined) {
    throw invalidParameter("Message Structure - No default entry in JSON message body");
  }
  const parts = new Map<string, string>();
  for (const protocol of [...protocols, ...platforms]) {
    const part = ownText(parsed, protocol);
    if (part !== undefined) parts.set(protocol, part);
  }
  return { body, parts };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** AWS: values that are no text are passed over. */
function ownText(value: object, name: string): string | undefined {
  const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof member === "string" ? member : undefined;
}
