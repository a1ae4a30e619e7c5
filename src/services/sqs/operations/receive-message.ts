import type {
  Message,
  MessageSystemAttributeName,
  ReceiveMessageRequest,
  ReceiveMessageResult,
} from "@aws-sdk/client-sqs";
import type { Call } from "../../../kernel/call.ts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { lastSource } from "../exhausted.ts";
import { md5Hex } from "../md5.ts";
import type { StoredSystemAttributes } from "../message.ts";
import { type AttributeFilter, attributeFilter, unpackAttributes } from "../message-attributes.ts";
import { deduplicationIdOf } from "../message-ids.ts";
import type { SqsContext } from "../ports.ts";
import type { Queue } from "../queue.ts";
import { queueOperation } from "../queue-operation.ts";
import { makeReceiptHandle } from "../receipt-handle.ts";
import { giveBack, type Look, look, type ReceivedMessage, type ReceiveWish } from "../receive.ts";
import { invalidValue, unknownAttribute } from "../refusals.ts";
import { sequenceNumberOf } from "../send.ts";
import type { ClaimedMessage } from "../store.ts";
import type { Poller } from "../waiters.ts";

type Input = Wire<ReceiveMessageRequest>;
type Output = Wire<ReceiveMessageResult>;

/** AWS: ReceiveMessage, short and long polling. */
export function receiveMessage(context: SqsContext): Operation<Input, Output> {
  return queueOperation<Input, Output>({
    name: "ReceiveMessage",
    access: "read",
    audit: {
      category: "data",
      readOnly: true,
      request: [
        "QueueUrl",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "WaitTimeSeconds",
        "AttributeNames",
        "MessageSystemAttributeNames",
        "MessageAttributeNames",
        "ReceiveRequestAttemptId",
      ],
    },
    async handle(input, call, queue) {
      const wish = checkWish(input, queue);
      const waitMs = checkWait(input) ?? queue.receiveWaitMs;
      const system = systemFilter(input);
      const filter = attributeFilter(input.MessageAttributeNames);
      const received =
        waitMs > 0
          ? await pollLong(context, call, queue, wish, call.arrivedSystemMs + waitMs)
          : await pollShort(context, call, queue, wish);
      if (received.length === 0) context.metrics.count(queue, "NumberOfEmptyReceives", 1);
      else context.metrics.count(queue, "NumberOfMessagesReceived", received.length);
      const present = (message: ReceivedMessage) =>
        presentMessage(context, queue, message, system, filter);
      // AWS: an empty receive has no member `Messages`.
      return { output: received.length > 0 ? { Messages: received.map(present) } : {} };
    },
  });
}

async function pollShort(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wish: ReceiveWish,
): Promise<readonly ReceivedMessage[]> {
  const { messages, overLimit } = await look(context, call, queue, wish);
  // AWS: a FIFO queue answers nothing then.
  if (overLimit && !queue.fifo) {
    // AWS?: the text.
    throw new Refusal("OverLimit", "Too many messages in flight: 120000 is the most of a queue.");
  }
  return messages;
}

async function pollLong(
  context: SqsContext,
  call: Call,
  queue: Queue,
  wish: ReceiveWish,
  untilMs: number,
): Promise<readonly ReceivedMessage[]> {
  const poller = context.waiters.join(queue.identity);
  try {
    for (;;) {
      const seen = await look(context, call, queue, wish);
      poller.looked(seen.full);
      if (seen.messages.length > 0) return await keepOrGiveBack(context, call, queue, seen);
      if (!(await waitForMore(poller, seen, untilMs, call))) return [];
    }
  } finally {
    poller.leave();
  }
}

function waitForMore(poller: Poller, seen: Look, untilMs: number, call: Call): Promise<boolean> {
  return poller.wait(seen.lookedAtMs, untilMs, call.signal);
}

/** A client that went away while its messages were claimed would hide them for a time. */
async function keepOrGiveBack(
  context: SqsContext,
  call: Call,
  queue: Queue,
  { messages, repeated }: Look,
): Promise<readonly ReceivedMessage[]> {
  const claimId = messages[0]?.claimId;
  if (!call.signal.aborted || repeated || claimId === undefined) return messages;
  const claimed = messages.map((message) => message.claimed);
  await giveBack(context, call, queue, claimId, claimed);
  return [];
}

function checkWish(input: Input, queue: Queue): ReceiveWish {
  const { MaxNumberOfMessages: count = 1, VisibilityTimeout: seconds } = input;
  const { ReceiveRequestAttemptId: attemptId } = input;
  if (count < 1 || count > 10) {
    const reason = "Must be between 1 and 10, if provided.";
    throw invalidValue(count, "MaxNumberOfMessages", reason);
  }
  if (seconds !== undefined && (seconds < 0 || seconds > 43_200)) {
    const reason = "Must be >= 0 and <= 43200, if provided.";
    throw invalidValue(seconds, "VisibilityTimeout", reason);
  }
  if (attemptId !== undefined) checkAttemptId(attemptId, queue);
  const visibilityMs = seconds === undefined ? queue.visibilityMs : seconds * 1000;
  return { count, visibilityMs, attemptId };
}

/** AWS?: both texts. */
function checkAttemptId(attemptId: string, { fifo }: Queue): void {
  const name = "ReceiveRequestAttemptId";
  if (!fifo) {
    const reason = "The request include parameter that is not valid for this queue type.";
    throw invalidValue(attemptId, name, reason);
  }
  if (/^[\x21-\x7e]{1,128}$/.test(attemptId)) return;
  const reason = `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
  throw invalidValue(attemptId, name, reason);
}

/** AWS: an explicit 0 is a short poll, whatever the queue says. */
function checkWait({ WaitTimeSeconds: seconds }: Input): number | undefined {
  if (seconds === undefined) return undefined;
  if (seconds < 0 || seconds > 20) {
    throw invalidValue(seconds, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.");
  }
  return seconds * 1000;
}

const systemNames: ReadonlySet<string> = new Set<MessageSystemAttributeName>([
  "All",
  "SenderId",
  "SentTimestamp",
  "ApproximateReceiveCount",
  "ApproximateFirstReceiveTimestamp",
  "SequenceNumber",
  "MessageDeduplicationId",
  "MessageGroupId",
  "AWSTraceHeader",
  "DeadLetterQueueSourceArn",
]);

/**
 * AWS: AttributeNames and MessageSystemAttributeNames are synonyms; if both are there, the second
 * counts (in the query protocol the first: the wire sees to that).
 */
function systemFilter(input: Input): AttributeFilter {
  const given = input.MessageSystemAttributeNames ?? [];
  const names: readonly string[] = given.length > 0 ? given : (input.AttributeNames ?? []);
  const unknown = names.find((name) => !systemNames.has(name));
  if (unknown !== undefined) throw unknownAttribute(unknown);
  if (names.length === 0) return undefined;
  return names.includes("All") ? () => true : (name) => names.includes(name);
}

function presentMessage(
  context: SqsContext,
  queue: Queue,
  { claimed, claimId, body }: ReceivedMessage,
  system: AttributeFilter,
  filter: AttributeFilter,
): Wire<Message> {
  const { sequence, messageId } = claimed;
  const { queueId } = queue.identity;
  const receipt = { queueId, sequence, messageId, claimId };
  const attributes = unpackAttributes(claimed.attributes, filter);
  return {
    MessageId: messageId,
    ReceiptHandle: makeReceiptHandle(context.tokens, queue, receipt),
    MD5OfBody: md5Hex(body),
    Body: body.toString("utf8"),
    ...(system && withMembers("Attributes", systemAttributes(queue, claimed, body, system))),
    ...(attributes && {
      MD5OfMessageAttributes: attributes.md5,
      MessageAttributes: attributes.attributes,
    }),
  };
}

/** AWS: `Attributes` is absent when nothing that was asked for is there. */
function withMembers(name: "Attributes", members: Record<string, string>) {
  return Object.keys(members).length > 0 ? { [name]: members } : undefined;
}

function systemAttributes(
  { fifo }: Queue,
  claimed: ClaimedMessage,
  body: Buffer,
  filter: (name: string) => boolean,
): Record<string, string> {
  const all: readonly (readonly [MessageSystemAttributeName, string])[] = [
    ["SenderId", claimed.senderId],
    ["SentTimestamp", String(claimed.sentMs)],
    ["ApproximateReceiveCount", String(claimed.receiveCount)],
    ["ApproximateFirstReceiveTimestamp", String(claimed.firstReceivedMs)],
    ["DeadLetterQueueSourceArn", lastSource(claimed.deadLetterSourceArn).source],
    ["MessageGroupId", claimed.groupId],
    ["SequenceNumber", fifo ? sequenceNumberOf(claimed.sequence) : ""],
  ];
  const wished = Object.fromEntries(all.filter(([name, value]) => value !== "" && filter(name)));
  // This process wrote the text, in `packSystem`.
  const stored =
    claimed.systemAttributes === ""
      ? {}
      : (JSON.parse(claimed.systemAttributes) as StoredSystemAttributes);
  const { AWSTraceHeader, MessageDeduplicationId } = stored;
  if (AWSTraceHeader && filter("AWSTraceHeader")) wished.AWSTraceHeader = AWSTraceHeader;
  if (fifo && filter("MessageDeduplicationId")) {
    wished.MessageDeduplicationId = MessageDeduplicationId ?? deduplicationIdOf(body);
  }
  return wished;
}
