import type { PublishBatchRequestEntry } from "@aws-sdk/client-sns";
import type { Wire } from "../../kernel/wire-types.ts";
import { invalidParameter } from "./errors.ts";
import { checkMessageAttributes, type NotificationAttributes } from "./message-attributes.ts";

/** A published message that passed all checks. */
export interface CheckedMessage {
  /** What queues get: the message, or its part for them (MessageStructure=json). */
  readonly body: string;
  readonly subject: string | undefined;
  readonly attributes: NotificationAttributes | undefined;
  /** AWS: on standard topics it is handed on to the queues (fair queues). */
  readonly groupId: string | undefined;
  /** AWS: message and attributes; the subject does not count. */
  readonly sizeBytes: number;
}

type Given = Omit<Wire<PublishBatchRequestEntry>, "Id">;

/**
 * Checks a message for a standard topic. `attributesPath` is where its attributes stand in the
 * request. Throws InvalidParameter and ParameterValueInvalid with AWS's texts.
 */
export function checkMessage(given: Given, attributesPath: string): CheckedMessage {
  const { Message, Subject, MessageStructure, MessageAttributes, MessageGroupId } = given;
  if (!Message) throw invalidParameter("Empty message");
  if (Subject !== undefined && !isSubject(Subject)) throw invalidParameter("Subject");
  const { attributes, sizeBytes } = checkMessageAttributes(MessageAttributes, attributesPath);
  const body = resolveStructure(Message, MessageStructure);
  if (given.MessageDeduplicationId !== undefined) {
    throw invalidParameter(
      "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter " +
        "that is not valid for this topic type",
    );
  }
  if (MessageGroupId !== undefined && !isGroupId(MessageGroupId)) {
    throw invalidParameter("MessageGroupId Reason: The provided MessageGroupId is invalid");
  }
  return {
    body,
    subject: Subject,
    attributes,
    groupId: MessageGroupId,
    sizeBytes: sizeBytes + Buffer.byteLength(Message),
  };
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
function isGroupId(groupId: string): boolean {
  return /^[!-~]{1,128}$/.test(groupId);
}

function resolveStructure(message: string, structure: string | undefined): string {
  if (structure === undefined || structure === "") return message;
  // AWS?: the text for another structure than json.
  if (structure !== "json") throw invalidParameter("MessageStructure");
  const parsed = parseObject(message);
  if (!parsed) {
    throw invalidParameter("Message Structure - JSON message body failed to parse");
  }
  const standard = ownText(parsed, "default");
  if (standard === undefined) {
    throw invalidParameter("Message Structure - No default entry in JSON message body");
  }
  return ownText(parsed, "sqs") ?? standard;
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
