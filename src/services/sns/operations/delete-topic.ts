import type { DeleteTopicInput } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { hasArchive } from "../archive.ts";
import { invalidParameter } from "../errors.ts";
import { removeAllSubscriptions } from "../subscription-changes.ts";
import { subscriptionsOf } from "../subscriptions.ts";
import type { ForgetTopic } from "../topic-store.ts";
import { parseTopicArn, type TopicRecord, topicFacts, topicKind, topicUses } from "../topics.ts";

/**
 * AWS: DeleteTopic; a missing topic is fine. DIFFERS: its subscriptions go with it in the same
 * commit, where AWS lets them be seen for some time.
 */
export function deleteTopicOperation(): Operation<Wire<DeleteTopicInput>, object> {
  return {
    name: "DeleteTopic",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["TopicArn"] },
    async resources({ TopicArn }, call) {
      const reference = parseTopicArn(call, TopicArn);
      const topic = await topicKind.get(call.records, reference.scope, reference.name);
      return topicUses(call, reference, topic);
    },
    async handle({ TopicArn }, call) {
      const { scope, name } = parseTopicArn(call, TopicArn);
      const topic = await topicKind.get(call.records, scope, name);
      if (!topic) return { output: {} };
      // AWS: an archive is let go first. AWS?: the text.
      if (hasArchive(topic)) {
        throw invalidParameter("TopicArn Reason: a topic with an ArchivePolicy cannot be deleted");
      }
      const subscriptions = await subscriptionsOf(call.records, topic);
      return {
        output: {},
        commands: [
          topicKind.remove(scope, name),
          ...(topicFacts(topic).rules.fifo ? [forgetTopic(topic)] : []),
          ...(await removeAllSubscriptions(call, topic, subscriptions)),
        ],
      };
    },
  };
}

function forgetTopic({ accountId, region, name }: TopicRecord): ForgetTopic {
  return { kind: "sns.topic.forget", topic: { accountId, region, topicName: name } };
}
