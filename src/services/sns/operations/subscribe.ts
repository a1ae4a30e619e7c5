import type { SubscribeInput, SubscribeResponse } from "@aws-sdk/client-sns";
import { parseArn } from "../../../kernel/arn.ts";
import type { Call } from "../../../kernel/call.ts";
import { callerAccountId, callerName } from "../../../kernel/caller.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { invalidParameter, notAvailableYet } from "../errors.ts";
import type { SnsDependencies } from "../ports.ts";
import { readSubscriptionAttributes } from "../subscription-attributes.ts";
import { putSubscription, type SubscriptionRecord, subscriptionsOf } from "../subscriptions.ts";
import { topicOperation } from "../topic-operation.ts";
import { messageBytesMaxDefault, type TopicRecord, topicFacts } from "../topics.ts";

type Input = Wire<SubscribeInput>;
type Output = Wire<SubscribeResponse>;

/**
 * AWS: Subscribe, for queues. Idempotent by topic, protocol and endpoint. The queue is not looked
 * up: whether deliveries work is decided by each of them.
 */
export function subscribeOperation(deps: SnsDependencies): Operation<Input, Output> {
  return topicOperation<Input, Output>({
    name: "Subscribe",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"],
      response: ["SubscriptionArn"],
    },
    topicArn: ({ TopicArn }) => TopicArn,
    context: ({ Protocol, Endpoint }) => ({
      "sns:protocol": Protocol,
      ...(Endpoint === undefined ? {} : { "sns:endpoint": Endpoint }),
    }),
    async handle(input, call, topic) {
      checkProtocol(input.Protocol);
      const endpoint = checkQueue(call, input.Endpoint ?? "");
      const { rawMessageDelivery } = readSubscriptionAttributes(input.Attributes ?? {});
      const subscriptions = await subscriptionsOf(call.records, topic);
      const known = subscriptions.find(({ value }) => value.endpoint === endpoint)?.value;
      if (known) return existing(known, rawMessageDelivery);
      checkCount(topic, subscriptions.length);
      return create(deps, call, topic, endpoint, rawMessageDelivery ?? false);
    },
  });
}

const protocols = new Set([
  "http",
  "https",
  "email",
  "email-json",
  "sms",
  "application",
  "lambda",
  "firehose",
]);

function checkProtocol(protocol: string): void {
  if (protocol === "sqs") return;
  if (protocols.has(protocol)) throw notAvailableYet("Protocol", `${protocol} subscriptions are`);
  throw invalidParameter(`Amazon SNS does not support this protocol string: ${protocol}`);
}

/**
 * A queue's ARN whose owner is the caller. AWS: then the subscription is confirmed at once; a queue
 * of another account would have to confirm by a token, which is not available yet.
 */
function checkQueue(call: Call, endpoint: string): string {
  const queue = parseArn(endpoint);
  const name = queue?.service === "sqs" && /^\d{12}$/.test(queue.accountId) ? queue.resource : "";
  if (!queue || queue.region === "" || !/^[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(name)) {
    throw invalidParameter("SQS endpoint ARN");
  }
  if (name.endsWith(".fifo")) {
    throw invalidParameter(
      "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard " +
        "SNS topics",
    );
  }
  if (queue.accountId !== callerAccountId(call.caller)) {
    throw invalidParameter(
      "Endpoint Reason: the owner of a queue must subscribe it: confirming a subscription of " +
        "another account's queue is not available yet",
    );
  }
  return endpoint;
}

function existing(known: SubscriptionRecord, raw: boolean | undefined): Outcome<Output> {
  if (raw !== undefined && raw !== known.rawMessageDelivery) {
    throw invalidParameter(
      "Attributes Reason: Subscription already exists with different attributes",
    );
  }
  return { output: { SubscriptionArn: known.arn } };
}

/** AWS: topics with large messages. AWS?: checked here and not at SetTopicAttributes. */
function checkCount(topic: TopicRecord, subscriptions: number): void {
  const large = topicFacts(topic).messageBytesMax > messageBytesMaxDefault;
  if (!large || subscriptions < 100) return;
  throw invalidParameter(
    "A topic with MaximumMessageSize greater than 262144 bytes supports a maximum of 100 " +
      "subscriptions",
  );
}

function create(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  endpoint: string,
  rawMessageDelivery: boolean,
): Outcome<Output> {
  const uuid = deps.random.uuid();
  const arn = `${topic.arn}:${uuid}`;
  const commands = putSubscription(topic, uuid, {
    arn,
    topicArn: topic.arn,
    protocol: "sqs",
    endpoint,
    owner: callerAccountId(call.caller) ?? call.accountId,
    principalArn: callerName(call.caller),
    rawMessageDelivery,
  });
  return { output: { SubscriptionArn: arn }, commands };
}
