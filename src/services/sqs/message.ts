import type { MessageAttributeValue, MessageSystemAttributeValue } from "@aws-sdk/client-sqs";
import type { Body } from "../../kernel/body.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { md5Hex } from "./md5.ts";
import { packAttributes, packSystemAttributes } from "./message-attributes.ts";
import { type BodyInput, type DraftBody, draftBody } from "./message-body.ts";
import { checkStandardIds, type FifoIds, fifoIds, type SenderIds } from "./message-ids.ts";
import type { Queue } from "./queue.ts";
import { invalidValue } from "./refusals.ts";

/** What SendMessage and an entry of SendMessageBatch have in common. */
export interface OutgoingMessage extends SenderIds, BodyInput {
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: Readonly<Record<string, Wire<MessageAttributeValue>>> | undefined;
  readonly MessageSystemAttributes?:
    | Readonly<Partial<Record<string, Wire<MessageSystemAttributeValue>>>>
    | undefined;
}

/** A checked message before it is sealed. MD5s are of the plaintext. */
export class Draft {
  /** As it is sealed; with a gap, packed. */
  readonly body: Body;
  /** JSON as stored, or "". */
  readonly attributes: string;
  /** JSON as stored, or "". */
  readonly systemAttributes: string;
  readonly sizeBytes: number;
  readonly delayMs: number;
  /** MessageGroupId, or "". */
  readonly groupId: string;
  /** Of a FIFO queue. */
  readonly fifo: FifoIds | undefined;
  readonly md5OfAttributes: string | undefined;
  readonly md5OfSystemAttributes: string | undefined;
  readonly #text: DraftBody;
  #md5OfBody: string | undefined;
  #isStored = false;

  constructor(text: DraftBody, rest: Omit<Draft, "body" | "md5OfBody" | "stored">) {
    this.body = text.body;
    this.attributes = rest.attributes;
    this.systemAttributes = rest.systemAttributes;
    this.sizeBytes = rest.sizeBytes;
    this.delayMs = rest.delayMs;
    this.groupId = rest.groupId;
    this.fifo = rest.fifo;
    this.md5OfAttributes = rest.md5OfAttributes;
    this.md5OfSystemAttributes = rest.md5OfSystemAttributes;
    this.#text = text;
  }

  /** Worked out once, when the answer or the record of a data event asks: deliveries never do. */
  md5OfBody(): string {
    if (this.#md5OfBody === undefined) {
      this.#md5OfBody = md5Hex(this.#text.text());
      if (this.#isStored) this.#text.giveBack();
    }
    return this.#md5OfBody;
  }

  /** The store has the body. Its memory is given back once its MD5 is known as well. */
  stored(): void {
    this.#isStored = true;
    if (this.#md5OfBody !== undefined) this.#text.giveBack();
  }
}

/** Kept in the clear beside a message, as in AWS. */
export interface StoredSystemAttributes {
  readonly AWSTraceHeader?: string;
  /** As given; one that follows from the body would tell of it and is not kept. */
  readonly MessageDeduplicationId?: string;
}

const delaySecondsMax = 900;

/**
 * Checks a message, but for its size; the ids that a FIFO queue needs are there. Throws what is
 * wrong first.
 */
export function draftMessage(queue: Queue, message: OutgoingMessage): Draft {
  const draft = draftBody(message);
  const delayMs = checkDelay(queue, message.DelaySeconds) ?? queue.delayMs;
  if (!queue.fifo) checkStandardIds(message);
  const attributes = packAttributes(message.MessageAttributes);
  const system = packSystemAttributes(message.MessageSystemAttributes);
  const fifo = queue.fifo && fifoIds(message, () => draft.text());
  const deduplicationId = fifo?.explicit ? fifo.deduplicationId : undefined;
  return new Draft(draft, {
    attributes: attributes?.text ?? "",
    systemAttributes: packSystem(system?.traceHeader, deduplicationId),
    // AWS: system attributes do not count.
    sizeBytes: draft.sizeBytes + (attributes?.sizeBytes ?? 0),
    delayMs,
    groupId: message.MessageGroupId ?? "",
    fifo,
    md5OfAttributes: attributes?.md5,
    md5OfSystemAttributes: system?.md5,
  });
}

function checkDelay({ fifo }: Queue, delaySeconds: number | undefined): number | undefined {
  if (delaySeconds === undefined) return undefined;
  if (delaySeconds < 0 || delaySeconds > delaySecondsMax) {
    throw invalidValue(delaySeconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.");
  }
  if (!fifo) return delaySeconds * 1000;
  if (delaySeconds === 0) return undefined;
  // AWS: a FIFO queue delays as a whole.
  const reason = "The request include parameter that is not valid for this queue type.";
  throw invalidValue(delaySeconds, "DelaySeconds", reason);
}

/** JSON as stored, or "" where there is nothing. */
export function packSystem(
  AWSTraceHeader: string | undefined,
  MessageDeduplicationId: string | undefined,
): string {
  if (AWSTraceHeader === undefined && MessageDeduplicationId === undefined) return "";
  const stored: StoredSystemAttributes = { AWSTraceHeader, MessageDeduplicationId };
  return JSON.stringify(stored);
}
