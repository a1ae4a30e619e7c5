import type { SubscribeInput, SubscribeResponse } from "@aws-sdk/client-sns";
import type { Call } from "../../../kernel/call.ts";
import { callerAccountId, callerName } from "../../../kernel/caller.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { askForConfirmation } from "../confirming.ts";
import {
  checkEndpoint,
  type Endpoint,
  maskPassword,
  openEndpoint,
  sealEndpoint,
} from "../endpoints.ts";
import { invalidParameter } from "../errors.ts";
import type { SnsDependencies } from "../ports.ts";
import { beginReplay } from "../replay.ts";
import { replaying } from "../replaying.ts";
import {
  type AttributePlace,
  readSubscriptionAttributes,
  sameAttributes,
} from "../subscription-attributes.ts";
import { saveSubscription, subscriptionsAt } from "../subscription-changes.ts";
import {
  type Protocol,
  protocols,
  type SubscriptionAttributes,
  type SubscriptionRecord,
} from "../subscriptions.ts";
import { topicOperation } from "../topic-operation.ts";
import { messageBytesMaxDefault, type TopicRecord, topicFacts } from "../topics.ts";
import { usageOf } from "../usage.ts";

type Input = Wire<SubscribeInput>;
type Output = Wire<SubscribeResponse>;

/**
 * AWS: Subscribe. Idempotent by topic, protocol and endpoint. The endpoint is not looked up:
 * whether deliveries work is decided by each of them.
 */
export function subscribeOperation(deps: SnsDependencies): Operation<Input, Output> {
  return topicOperation<Input, Output>({
    name: "Subscribe",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn }) => ({
        topicArn: TopicArn,
        protocol: Protocol,
        ...(Endpoint === undefined ? {} : { endpoint: maskPassword(Endpoint) }),
        ...(Attributes === undefined ? {} : { attributes: Attributes }),
        ...(ReturnSubscriptionArn === undefined
          ? {}
          : { returnSubscriptionArn: ReturnSubscriptionArn }),
      }),
      response: ["SubscriptionArn"],
    },
    topicArn: ({ TopicArn }) => TopicArn,
    context: ({ Protocol, Endpoint }) => ({
      "sns:protocol": Protocol,
      ...(Endpoint === undefined ? {} : { "sns:endpoint": Endpoint }),
    }),
    async handle(input, call, topic) {
      const protocol = checkProtocol(input.Protocol, topic);
      const { fifo } = topicFacts(topic).rules;
      const endpoint = checkEndpoint(protocol, input.Endpoint ?? "", fifo);
      const place = attributePlace(topic, endpoint.protocol, endpoint.text);
      const attributes = readSubscriptionAttributes(input.Attributes ?? {}, place);
      const known = await existing(deps, call, topic, endpoint);
      if (known && !sameAttributes(known, attributes)) {
        throw invalidParameter(
          "Attributes Reason: Subscription already exists with different attributes",
        );
      }
      if (known && !known.pending) return { output: { SubscriptionArn: known.arn } };
      if (!known) await checkLarge(call, topic, protocol);
      const returnArn = input.ReturnSubscriptionArn === true;
      const fresh = known ?? create(deps, call, topic, endpoint, attributes);
      return subscribe(deps, call, topic, known, fresh, returnArn);
    },
  });
}

/** What attributes of a subscription with this endpoint may say. */
export function attributePlace(
  topic: TopicRecord,
  protocol: Protocol,
  endpoint: string,
): AttributePlace {
  const fifoTopic = topicFacts(topic).rules.fifo;
  const fifo = fifoTopic && endpoint.endsWith(".fifo");
  return { protocol, fifo, fifoTopic, accountId: topic.accountId, region: topic.region };
}

function checkProtocol(text: string, topic: TopicRecord): Protocol {
  const protocol = protocols.find((each) => each === text);
  if (!protocol) {
    throw invalidParameter(`Amazon SNS does not support this protocol string: ${text}`);
  }
  if (topicFacts(topic).rules.fifo && protocol !== "sqs") {
    throw invalidParameter(`Invalid protocol type: ${protocol}`);
  }
  return protocol;
}

/** The subscription of this endpoint, password and all. */
async function existing(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  { protocol, shown, text }: Endpoint,
): Promise<SubscriptionRecord | undefined> {
  const found = await subscriptionsAt(call, topic, { protocol, endpoint: shown });
  return found.find(({ value }) => openEndpoint(deps.secrets, value) === text)?.value;
}

/**
 * AWS: topics with large messages take few subscriptions, and only those that can carry them.
 * AWS?: the number is checked here and not at SetTopicAttributes.
 */
async function checkLarge(call: Call, topic: TopicRecord, protocol: Protocol): Promise<void> {
  if (topicFacts(topic).messageBytesMax <= messageBytesMaxDefault) return;
  if (!largeMessageProtocols.includes(protocol)) throw tooLargeFor(protocol);
  const usage = await usageOf(call.records, topic);
  if (usage.confirmed + usage.pending < 100) return;
  throw invalidParameter(
    "A topic with MaximumMessageSize greater than 262144 bytes supports a maximum of 100 " +
      "subscriptions",
  );
}

export const largeMessageProtocols: readonly Protocol[] = ["sqs", "lambda", "firehose"];

export function tooLargeFor(protocol: string): Error {
  return invalidParameter(
    "MaximumMessageSize greater than 262144 bytes is not supported for the following protocol: " +
      `[${protocol}]`,
  );
}

function create(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  endpoint: Endpoint,
  attributes: Partial<SubscriptionAttributes>,
): SubscriptionRecord {
  const arn = `${topic.arn}:${deps.random.uuid()}`;
  const confirmed = isConfirmedByCaller(call, endpoint);
  return {
    rawMessageDelivery: false,
    ...attributes,
    ...(attributes.replayPolicy === undefined
      ? {}
      : { replay: beginReplay(call, topic, undefined, attributes.replayPolicy, attributesPrefix) }),
    arn,
    topicArn: topic.arn,
    protocol: endpoint.protocol,
    ...sealEndpoint(deps.secrets, arn, endpoint),
    owner: callerAccountId(call.caller) ?? call.accountId,
    principalArn: callerName(call.caller),
    ...(confirmed
      ? { confirmedBySignature: true, authenticateOnUnsubscribe: true }
      : { pending: true }),
  };
}

const attributesPrefix = "Attributes Reason: ";

/**
 * AWS: the signed call of a queue's or function's owner confirms by itself; so do endpoints that
 * nobody can answer for. Everybody else has to open a link.
 */
function isConfirmedByCaller({ caller }: Call, { protocol, accountId }: Endpoint): boolean {
  if (protocol === "sms" || protocol === "application" || protocol === "firehose") return true;
  return accountId !== undefined && accountId === callerAccountId(caller);
}

async function subscribe(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  before: SubscriptionRecord | undefined,
  after: SubscriptionRecord,
  returnArn: boolean,
): Promise<Outcome<Output>> {
  if (!after.pending) {
    const commands = await saveSubscription(call, topic, before, after);
    return { output: { SubscriptionArn: after.arn }, ...replaying(deps, call, after, commands) };
  }
  // AWS: asked again, a pending subscription gets another confirmation.
  const asked = await askForConfirmation(deps, call, topic, after);
  const saved = await saveSubscription(call, topic, before, asked.subscription);
  return {
    output: { SubscriptionArn: returnArn ? after.arn : "pending confirmation" },
    commands: [...saved, ...asked.commands],
    committed: asked.committed,
  };
}
