import type { SendMessageBatchRequest, SendMessageBatchResult } from "@aws-sdk/client-sqs";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditBatch, hiddenOfMessage, keptOfMessage } from "../audit.ts";
import { batchBytesMax, batchResult, checkBatch, type FailedEntry, failedEntry } from "../batch.ts";
import { type Draft, draftMessage, type OutgoingMessage } from "../message.ts";
import { requireFifoIds } from "../message-ids.ts";
import type { SqsContext } from "../ports.ts";
import type { Queue } from "../queue.ts";
import { queueOperation } from "../queue-operation.ts";
import { invalidParameter } from "../refusals.ts";
import { send } from "../send.ts";

type Input = Wire<SendMessageBatchRequest>;
type Output = Partial<Wire<SendMessageBatchResult>>;
type Entry = OutgoingMessage & { readonly Id: string };

/**
 * AWS: SendMessageBatch. An invalid entry fails alone; a KMS refusal fails the whole call, since
 * one data key serves all entries (AWS?: whole call or per entry).
 */
export function sendMessageBatch(context: SqsContext): Operation<Input, Output> {
  return queueOperation<Input, Output>({
    name: "SendMessageBatch",
    action: "sqs:SendMessage",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: (input) => auditBatch(input, keptOfMessage, hiddenOfMessage),
      response: ["Successful", "Failed"],
    },
    async handle(input, call, queue) {
      const entries = checkBatch(input.Entries, "SendMessageBatchRequestEntry");
      // AWS: an entry without these fails the whole call.
      if (queue.fifo) for (const entry of entries) requireFifoIds(queue.fifo, entry, true);
      const { drafts, failed } = draftEntries(queue, entries);
      if (drafts.length === 0) return { output: batchResult([], failed) };
      const bodies = drafts.map(({ draft }) => draft);
      const { messages, commands, committed } = await send(context, call, queue, bodies);
      const successful = drafts.map(({ id, draft }, index) => ({
        Id: id,
        MessageId: messages[index]?.messageId ?? "",
        SequenceNumber: messages[index]?.sequenceNumber,
        MD5OfMessageBody: draft.md5OfBody(),
        MD5OfMessageAttributes: draft.md5OfAttributes,
        MD5OfMessageSystemAttributes: draft.md5OfSystemAttributes,
      }));
      return { output: batchResult(successful, failed), commands, committed };
    },
  });
}

/** Throws BatchRequestTooLong if all entries together are too long, whatever the queue allows. */
function draftEntries(
  queue: Queue,
  entries: readonly Entry[],
): { drafts: readonly { id: string; draft: Draft }[]; failed: readonly FailedEntry[] } {
  const drafts: { id: string; draft: Draft }[] = [];
  const failed: FailedEntry[] = [];
  let totalBytes = 0;
  for (const entry of entries) {
    let draft: Draft | undefined;
    try {
      draft = draftMessage(queue, entry);
      if (draft.sizeBytes > queue.messageBytesMax) throw tooLong(queue.messageBytesMax);
      drafts.push({ id: entry.Id, draft });
    } catch (error) {
      failed.push(failedEntry(entry.Id, error));
    }
    totalBytes += draft?.sizeBytes ?? bytesOf(entry);
  }
  if (totalBytes > batchBytesMax) {
    throw new Refusal(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${batchBytesMax} bytes. ` +
        `You have sent ${totalBytes} bytes.`,
    );
  }
  return { drafts, failed };
}

/** Of an entry that is wrong otherwise: it was sent all the same. */
function bytesOf({ MessageBody = "", MessageAttributes = {} }: Entry): number {
  let bytes = Buffer.byteLength(MessageBody);
  for (const [name, { DataType = "", StringValue = "", BinaryValue }] of Object.entries(
    MessageAttributes,
  )) {
    bytes += Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.length ?? 0);
  }
  return bytes;
}

/** AWS: not the wording of a single send. */
function tooLong(messageBytesMax: number): Refusal {
  return invalidParameter(
    "One or more parameters cannot be validated. " +
      `Reason: Message must be shorter than ${messageBytesMax} bytes.`,
  );
}
