import type { SendMessageRequest, SendMessageResult } from "@aws-sdk/client-sqs";
import type { Operation } from "../../../kernel/operation.ts";
import { soon } from "../../../kernel/soon.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditMembers, hiddenOfMessage, keptOfMessage } from "../audit.ts";
import { draftMessage } from "../message.ts";
import { requireFifoIds } from "../message-ids.ts";
import type { SqsContext } from "../ports.ts";
import { queueOperation } from "../queue-operation.ts";
import { invalidParameter } from "../refusals.ts";
import { send } from "../send.ts";

const keptOfSend = ["QueueUrl", ...keptOfMessage];

type Input = Wire<SendMessageRequest>;
type Output = Wire<SendMessageResult>;

/** AWS: SendMessage. */
export function sendMessage(context: SqsContext): Operation<Input, Output> {
  return queueOperation<Input, Output>({
    name: "SendMessage",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: (input) => auditMembers(input, keptOfSend, hiddenOfMessage),
      response: [
        "MD5OfMessageBody",
        "MD5OfMessageAttributes",
        "MD5OfMessageSystemAttributes",
        "MessageId",
        "SequenceNumber",
      ],
    },
    handle(input, call, queue) {
      if (queue.fifo) requireFifoIds(queue.fifo, input, false);
      const draft = draftMessage(queue, input);
      if (draft.sizeBytes > queue.messageBytesMax) {
        throw invalidParameter(
          "One or more parameters are invalid. " +
            `Reason: Message must be shorter than ${queue.messageBytesMax} bytes.`,
        );
      }
      return soon(send(context, call, queue, [draft]), ({ messages, commands, committed }) => {
        const [sent] = messages;
        const output = {
          get MD5OfMessageBody() {
            return draft.md5OfBody;
          },
          MD5OfMessageAttributes: draft.md5OfAttributes,
          MD5OfMessageSystemAttributes: draft.md5OfSystemAttributes,
          MessageId: sent?.messageId,
          SequenceNumber: sent?.sequenceNumber,
        };
        return { output, commands, committed };
      });
    },
  });
}
