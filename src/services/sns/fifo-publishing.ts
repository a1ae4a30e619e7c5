import type { Call } from "../../kernel/call.ts";
import type { Numbered } from "./deliveries.ts";
import type { CheckedMessage } from "./message.ts";
import type { SnsDependencies, TopicTurns } from "./ports.ts";
import type { PublishAnswer, PublishedMessages } from "./publish-messages.ts";
import { publish } from "./publishing.ts";
import type { AcceptFifo, FifoState, GetFifoState, KnownMessage } from "./topic-store.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";

/** AWS: how long a publication is remembered. */
export const rememberMs = 300_000;

export function createTopicTurns(): TopicTurns {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(topicArn, act) {
      const before = last.get(topicArn) ?? Promise.resolve();
      const mine = before.then(act, act);
      last.set(topicArn, mine);
      try {
        return await mine;
      } finally {
        if (last.get(topicArn) === mine) last.delete(topicArn);
      }
    },
  };
}

/**
 * Publishes to a FIFO topic: duplicates answer as the first publication did, all others get the
 * numbers that follow, and with them go to the queues in one commit.
 *
 * INVARIANT: the commit happens inside the topic's turn. What is read before it holds until it is
 * done, queues get messages in the order of their numbers, and either all of a publication is true
 * or nothing of it: its number, its memory, its messages.
 */
export function publishFifo(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly CheckedMessage[],
): Promise<PublishedMessages> {
  return deps.fifoTurns.run(topic.arn, async () => {
    const digests = messages.map((message) => digestsOf(deps, topic, message));
    const state = await deps.ask<GetFifoState>({
      kind: "sns.fifo.state",
      topic: { accountId: topic.accountId, region: topic.region, topicName: topic.name },
      topicArn: topic.arn,
      digests: digests.flat(),
      sentAfterMs: call.now - rememberMs,
      groupIds: [...new Set(messages.map(({ groupId = "" }) => groupId))],
    });
    const placed = place(deps, messages, digests, state);
    const published = await publish(deps, call, topic, placed.fresh);
    const accept: AcceptFifo = {
      kind: "sns.fifo.accept",
      topic: { accountId: topic.accountId, region: topic.region, topicName: topic.name },
      lastSequence: state.lastSequence,
      messages: placed.remembered.map((known) => ({ ...known, sentMs: call.now })),
      forgetBeforeMs: call.now - rememberMs,
    };
    if (placed.fresh.length > 0) await call.commit([...published.commands, accept]);
    published.committed();
    return { answers: placed.answers, commands: [], committed() {} };
  });
}

interface Placed {
  readonly answers: readonly PublishAnswer[];
  readonly fresh: readonly Numbered[];
  readonly remembered: readonly KnownMessage[];
}

function place(
  { random }: SnsDependencies,
  messages: readonly CheckedMessage[],
  digests: readonly (readonly Uint8Array[])[],
  state: FifoState,
): Placed {
  const known = new Map(state.known.map((each) => [nameOf(each.digest), each]));
  const fresh: Numbered[] = [];
  const remembered: KnownMessage[] = [];
  const answers = messages.map((message, index): PublishAnswer => {
    const own = digests[index] ?? [];
    const before = own.map((digest) => known.get(nameOf(digest))).find((each) => each);
    if (before) return answerOf(before.messageId, before.sequence);
    const sequence = state.lastSequence + fresh.length + 1;
    const messageId = random.uuid();
    const answer = answerOf(messageId, sequence);
    const heldUpAt = state.waiting
      .filter(({ groupId }) => groupId === message.groupId)
      .map(({ subscriptionArn }) => subscriptionArn);
    fresh.push({
      message,
      messageId,
      sequenceNumber: answer.SequenceNumber,
      heldUpAt: new Set(heldUpAt),
    });
    const [digest] = own;
    if (digest) {
      const first = { digest, messageId, sequence };
      remembered.push(first);
      known.set(nameOf(digest), first);
    }
    return answer;
  });
  return { answers, fresh, remembered };
}

function answerOf(MessageId: string, sequence: number) {
  return { MessageId, SequenceNumber: sequenceNumberOf(sequence) };
}

/** AWS: 20 digits that rise. */
export function sequenceNumberOf(sequence: number): string {
  return `1${String(sequence).padStart(19, "0")}`;
}

/** AWS: duplicates are looked for in the whole topic, or in their group alone. */
function digestsOf(
  { digests }: SnsDependencies,
  topic: TopicRecord,
  { groupId, deduplicationId }: CheckedMessage,
): readonly Uint8Array[] {
  const group = topicFacts(topic).rules.deduplicatesByGroup ? groupId : "";
  return digests.of(JSON.stringify([topic.arn, group, deduplicationId]));
}

function nameOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString("hex");
}
