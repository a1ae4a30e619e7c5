import type { MessageAttributeValue, MessageSystemAttributeValue } from "@aws-sdk/client-sqs";
import { Refusal } from "../../kernel/errors.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { md5Hex } from "./md5.ts";
import { isLegalText, packAttributes, packSystemAttributes } from "./message-attributes.ts";
import type { Queue } from "./queue.ts";
import { invalidParameter, invalidValue, missingParameter } from "./refusals.ts";

/** What SendMessage and an entry of SendMessageBatch have in common. */
export interface OutgoingMessage {
  readonly MessageBody?: string | undefined;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: Readonly<Record<string, Wire<MessageAttributeValue>>> | undefined;
  readonly MessageSystemAttributes?:
    | Readonly<Partial<Record<string, Wire<MessageSystemAttributeValue>>>>
    | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** A checked message before it is sealed. MD5s are of the plaintext. */
export interface Draft {
  readonly body: Buffer;
  /** JSON as stored, or "". */
  readonly attributes: string;
  /** JSON as stored, or "". */
  readonly systemAttributes: string;
  readonly sizeBytes: number;
  readonly delayMs: number;
  readonly md5OfBody: string;
  readonly md5OfAttributes: string | undefined;
  readonly md5OfSystemAttributes: string | undefined;
}

/** Kept in the clear beside a message, as in AWS. */
export interface StoredSystemAttributes {
  readonly AWSTraceHeader?: string;
  readonly MessageGroupId?: string;
}

const delaySecondsMax = 900;
const groupIdPattern = /^[\x21-\x7e]{1,128}$/;

/** Checks a message for a standard queue, but for its size. Throws what is wrong first. */
export function draftMessage(queue: Queue, message: OutgoingMessage): Draft {
  if (!message.MessageBody) throw missingParameter("MessageBody");
  if (!isLegalText(message.MessageBody)) {
    // AWS?: the text.
    throw new Refusal(
      "InvalidMessageContents",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | " +
        "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    );
  }
  const delayMs = checkDelay(message.DelaySeconds) ?? queue.delayMs;
  checkIds(message);
  const attributes = packAttributes(message.MessageAttributes);
  const system = packSystemAttributes(message.MessageSystemAttributes);
  const body = Buffer.from(message.MessageBody, "utf8");
  return {
    body,
    attributes: attributes?.text ?? "",
    systemAttributes: packSystem(system?.traceHeader, message.MessageGroupId),
    // AWS: system attributes do not count.
    sizeBytes: body.length + (attributes?.sizeBytes ?? 0),
    delayMs,
    md5OfBody: md5Hex(body),
    md5OfAttributes: attributes?.md5,
    md5OfSystemAttributes: system?.md5,
  };
}

function checkDelay(delaySeconds: number | undefined): number | undefined {
  if (delaySeconds === undefined) return undefined;
  if (delaySeconds < 0 || delaySeconds > delaySecondsMax) {
    throw invalidValue(delaySeconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.");
  }
  return delaySeconds * 1000;
}

function checkIds(message: OutgoingMessage): void {
  if (message.MessageDeduplicationId !== undefined) {
    throw invalidParameter(
      "The request include parameter MessageDeduplicationId which is not valid for this queue type",
    );
  }
  // AWS: standard queues take a group id since fair queues (July 2025).
  const groupId = message.MessageGroupId;
  if (groupId !== undefined && !groupIdPattern.test(groupId)) {
    throw invalidValue(
      groupId,
      "MessageGroupId",
      "MessageGroupId can only include alphanumeric and punctuation characters. " +
        "1 to 128 in length.",
    );
  }
}

function packSystem(AWSTraceHeader: string | undefined, MessageGroupId: string | undefined) {
  if (AWSTraceHeader === undefined && MessageGroupId === undefined) return "";
  const stored: StoredSystemAttributes = { AWSTraceHeader, MessageGroupId };
  return JSON.stringify(stored);
}
