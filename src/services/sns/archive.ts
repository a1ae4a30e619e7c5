import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { recordKind } from "../../kernel/records.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import type { Notification } from "./envelope.ts";
import { placed } from "./notification-place.ts";
import type { SnsDependencies } from "./ports.ts";
import { type RedeliveryDependencies, topicSession } from "./redelivery.ts";
import { archiveDays } from "./topic-attributes.ts";
import type { ExpireArchived, PutArchived, TopicIdentity } from "./topic-store.ts";
import { type TopicRecord, topicKind } from "./topics.ts";
import { firstState, orderOf, putUndelivered } from "./undelivered.ts";

const dayMs = 86_400_000;
const rowsMax = 1_000;

/** Topics with an archive, so that what has had its time is found; id: the topic's ARN. */
const archivedKind = recordKind<TopicIdentity>("sns.archive", "installation");
const installation = { accountId: "", region: "" };

export function identityOf({ accountId, region, name }: TopicRecord): TopicIdentity {
  return { accountId, region, topicName: name };
}

/** Commands that go with a change of a topic's ArchivePolicy. AWS: without one the archive goes. */
export function archiveChange(before: TopicRecord | undefined, after: TopicRecord): Command[] {
  const [had, has] = [hasArchive(before), hasArchive(after)];
  if (had === has) return [];
  if (has) return [archivedKind.put(installation, after.arn, identityOf(after))];
  return [archivedKind.remove(installation, after.arn), expire(identityOf(after), Infinity)];
}

export function forgetArchive(topic: TopicRecord): Command[] {
  return hasArchive(topic) ? [archivedKind.remove(installation, topic.arn)] : [];
}

export function hasArchive(topic: TopicRecord | undefined): boolean {
  return topic?.attributes.ArchivePolicy !== undefined;
}

/**
 * Keeps a published message: the body as it was sealed for the topic, tied to its place by a MAC
 * like everything that waits.
 */
export function putArchived(
  { places }: SnsDependencies,
  topic: TopicRecord,
  notification: Notification,
  sealed: Sealed,
): PutArchived {
  const { messageId, publishedMs, sequenceNumber = "" } = notification;
  const place = { arn: topic.arn, protocol: "sqs" } as const;
  const state = firstState("sqs", publishedMs);
  const put = placed(places, putUndelivered(topic, place, notification, sealed, state));
  const { metadata } = put.notification;
  const sequence = orderOf(sequenceNumber);
  return {
    kind: "sns.archive.put",
    topic: identityOf(topic),
    message: { sequence, messageId, metadata, publishedMs, sealed },
  };
}

/** Ends the time of archived messages, topic by topic. */
export async function expireArchives(
  deps: Pick<RedeliveryDependencies, "runAsService">,
  commit: (commands: readonly Command[]) => Promise<unknown>,
  nowMs: EpochMs,
): Promise<void> {
  const session = topicSession("Expire", { accountId: "", region: "", topicArn: "" });
  const ends = await deps.runAsService(session, async (call) => {
    const archived = await archivedKind.list(call.records, installation);
    const output: { topic: TopicIdentity; beforeMs: EpochMs }[] = [];
    for (const { value } of archived) {
      const topic = await topicKind.get(call.records, value, value.topicName);
      const days = archiveDays(topic?.attributes.ArchivePolicy);
      if (days !== undefined) output.push({ topic: value, beforeMs: nowMs - days * dayMs });
    }
    return { output };
  });
  for (const { topic, beforeMs } of ends) {
    const command = { ...expire(topic, beforeMs), rowsMax };
    for (let removed: unknown = rowsMax; removed === rowsMax; ) {
      const results: unknown = await commit([command]);
      const [first]: unknown[] = Array.isArray(results) ? results : [];
      removed = typeof first === "object" && first ? Reflect.get(first, "removed") : 0;
    }
  }
}

function expire(topic: TopicIdentity, beforeMs: number): ExpireArchived {
  const publishedBeforeMs = Math.min(beforeMs, Number.MAX_SAFE_INTEGER);
  return { kind: "sns.archive.expire", topic, publishedBeforeMs, rowsMax: Number.MAX_SAFE_INTEGER };
}
