import type {
  ListSubscriptionsByTopicInput,
  ListSubscriptionsByTopicResponse,
} from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOf, pageRange } from "../paging.ts";
import { describeSubscription, subscriptionKind } from "../subscriptions.ts";
import { topicOperation } from "../topic-operation.ts";

/** AWS: ListSubscriptionsByTopic, 100 a page. */
export function listSubscriptionsByTopicOperation(): Operation<
  Wire<ListSubscriptionsByTopicInput>,
  Wire<ListSubscriptionsByTopicResponse>
> {
  return topicOperation<
    Wire<ListSubscriptionsByTopicInput>,
    Wire<ListSubscriptionsByTopicResponse>
  >({
    name: "ListSubscriptionsByTopic",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["TopicArn", "NextToken"] },
    topicArn: ({ TopicArn }) => TopicArn,
    async handle(input, call, topic) {
      const range = { idPrefix: `${topic.name}/`, ...pageRange(input.NextToken) };
      const entries = await subscriptionKind.list(call.records, topic, range);
      const { page, NextToken } = pageOf(entries);
      const Subscriptions = page.map(({ value }) => describeSubscription(value));
      return { output: { Subscriptions, NextToken } };
    },
  });
}
