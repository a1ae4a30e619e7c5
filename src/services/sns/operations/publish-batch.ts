import type {
  PublishBatchInput,
  PublishBatchRequestEntry,
  PublishBatchResponse,
} from "@aws-sdk/client-sns";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedMessage } from "../audit.ts";
import { checkMessage } from "../message.ts";
import type { SnsDependencies } from "../ports.ts";
import { publishMessages } from "../publish-messages.ts";
import { topicOperation } from "../topic-operation.ts";
import { topicFacts } from "../topics.ts";

type Entry = Wire<PublishBatchRequestEntry>;

/**
 * AWS: PublishBatch, authorised as sns:Publish. An entry that is wrong fails the whole call, and so
 * does the topic's key: one data key seals all.
 */
export function publishBatchOperation(
  deps: SnsDependencies,
): Operation<Wire<PublishBatchInput>, Wire<PublishBatchResponse>> {
  return topicOperation<Wire<PublishBatchInput>, Wire<PublishBatchResponse>>({
    name: "PublishBatch",
    action: "sns:Publish",
    access: "write",
    audit: {
      category: "data",
      readOnly: false,
      request: ({ TopicArn, PublishBatchRequestEntries }) => ({
        topicArn: TopicArn,
        publishBatchRequestEntries: PublishBatchRequestEntries.map((entry) => ({
          id: entry.Id,
          ...auditedMessage(entry),
        })),
      }),
    },
    topicArn: ({ TopicArn }) => TopicArn,
    async handle({ PublishBatchRequestEntries: entries }, call, topic) {
      checkIds(entries);
      const { rules, messageBytesMax } = topicFacts(topic);
      const messages = entries.map((entry, index) =>
        checkMessage(
          entry,
          `publishBatchRequestEntries.${index + 1}.member.messageAttributes`,
          rules,
        ),
      );
      const sizeBytes = messages.reduce((sum, message) => sum + message.sizeBytes, 0);
      if (sizeBytes > messageBytesMax) throw tooLong();
      const { answers, commands, committed } = await publishMessages(deps, call, topic, messages);
      const Successful = entries.map(({ Id }, index) => ({ Id, ...answers[index] }));
      return { output: { Successful, Failed: [] }, commands, committed };
    },
  });
}

function tooLong(): Refusal {
  return new Refusal(
    "BatchRequestTooLongException",
    "The length of all the messages put together is more than the limit.",
  );
}

/** AWS: 1 to 10 entries with distinct ids of 1 to 80 characters. */
function checkIds(entries: readonly Entry[]): void {
  if (entries.length === 0) {
    throw new Refusal(
      "EmptyBatchRequestException",
      "The batch request doesn't contain any entries.",
    );
  }
  if (entries.length > 10) {
    throw new Refusal(
      "TooManyEntriesInBatchRequestException",
      "The batch request contains more entries than permissible.",
    );
  }
  for (const { Id } of entries) {
    if (Id.length > 80) {
      throw invalidId(`The Id of a batch entry in the batch request is too long: ${Id}`);
    }
    if (!/^[A-Za-z0-9_-]+$/.test(Id)) {
      const text =
        "The Id of a batch entry in the batch request contains an impermissible character";
      throw invalidId(`${text}: ${Id}`);
    }
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw new Refusal(
      "BatchEntryIdsNotDistinctException",
      "Two or more batch entries in the request have the same Id.",
    );
  }
}

function invalidId(text: string): Refusal {
  return new Refusal("InvalidBatchEntryIdException", text);
}
