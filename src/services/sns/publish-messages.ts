import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { publishFifo } from "./fifo-publishing.ts";
import type { CheckedMessage } from "./message.ts";
import type { SnsDependencies } from "./ports.ts";
import { publish } from "./publishing.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";

export interface PublishAnswer {
  readonly MessageId: string;
  readonly SequenceNumber?: string;
}

export interface PublishedMessages {
  /** In the order of the messages. */
  readonly answers: readonly PublishAnswer[];
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** Publishes checked messages as their topic does. */
export async function publishMessages(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly CheckedMessage[],
): Promise<PublishedMessages> {
  if (topicFacts(topic).rules.fifo) return publishFifo(deps, call, topic, messages);
  const numbered = messages.map((message) => ({ message, messageId: deps.random.uuid() }));
  const { messageIds, commands, committed } = await publish(deps, call, topic, numbered);
  return { answers: messageIds.map((MessageId) => ({ MessageId })), commands, committed };
}
