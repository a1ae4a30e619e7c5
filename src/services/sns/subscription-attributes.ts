import { subscriptionDeliveryPolicyProblem } from "./delivery-policy.ts";
import { invalidParameter } from "./errors.ts";
import { type FilterScope, filterScopes } from "./filter/policy.ts";
import { readFilterPolicy } from "./filter/read.ts";
import { checkRedrivePolicy, type RedriveRules } from "./redrive-policy.ts";
import type { Protocol, SubscriptionAttributes } from "./subscriptions.ts";

/** What the subscription is, whose attributes are set. */
export interface AttributePlace extends RedriveRules {
  readonly protocol: Protocol;
  readonly fifoTopic: boolean;
}

type Changes = Partial<SubscriptionAttributes>;

/** AWS: as Subscribe takes them; its refusals begin with `Attributes Reason: `. */
export function readSubscriptionAttributes(
  given: Readonly<Record<string, string>>,
  place: AttributePlace,
): Changes {
  let read: Changes = {};
  for (const [name, value] of Object.entries(given)) {
    read = { ...read, ...readOne(name, value, place, subscribePrefix) };
  }
  checkFilter(read, subscribePrefix);
  if (place.protocol === "firehose" && !read.subscriptionRoleArn) {
    // AWS?: the text.
    throw invalidParameter(`${subscribePrefix}SubscriptionRoleArn is required for firehose`);
  }
  return read;
}

const subscribePrefix = "Attributes Reason: ";

/** AWS: as SetSubscriptionAttributes takes one of them. Answers the attributes after it. */
export function changeSubscriptionAttribute(
  before: SubscriptionAttributes,
  name: string,
  value: string,
  place: AttributePlace,
): Changes {
  const changes = readOne(name, value, place, "");
  checkFilter({ ...before, ...changes }, "");
  return changes;
}

/** True if attributes given again say what the subscription has already. */
export function sameAttributes(known: SubscriptionAttributes, given: Changes): boolean {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [known.rawMessageDelivery, given.rawMessageDelivery],
    [known.filterPolicy, given.filterPolicy],
    [known.filterPolicyScope ?? "MessageAttributes", given.filterPolicyScope],
    [known.redrivePolicy, given.redrivePolicy],
    [known.deliveryPolicy, given.deliveryPolicy],
    [known.subscriptionRoleArn, given.subscriptionRoleArn],
  ];
  return pairs.every(([had, wanted]) => wanted === undefined || sameText(had, wanted));
}

function sameText(one: unknown, other: unknown): boolean {
  return one === other || normalised(one) === normalised(other);
}

function normalised(value: unknown): string {
  try {
    return JSON.stringify(JSON.parse(String(value)));
  } catch {
    return String(value);
  }
}

function readOne(name: string, value: string, place: AttributePlace, prefix: string): Changes {
  switch (name) {
    case "RawMessageDelivery":
      return { rawMessageDelivery: readRaw(value, place.protocol, prefix) };
    case "FilterPolicy":
      return { filterPolicy: removable(value) };
    case "FilterPolicyScope":
      return { filterPolicyScope: readScope(value, prefix) };
    case "RedrivePolicy":
      if (value !== "") checkRedrivePolicy(value, place, prefix);
      return { redrivePolicy: removable(value) };
    case "DeliveryPolicy":
      return { deliveryPolicy: readDeliveryPolicy(value, prefix) };
    case "SubscriptionRoleArn":
      return { subscriptionRoleArn: readRole(value, prefix) };
    case "ReplayPolicy":
      if (value !== "" && !place.fifoTopic) {
        throw invalidParameter(`${prefix}ReplayPolicy: is valid for FIFO topics only`);
      }
      return { replayPolicy: removable(value) };
    default:
      throw invalidParameter(`${prefix}AttributeName`);
  }
}

/** AWS: an empty value takes an attribute away. */
function removable(value: string): string | undefined {
  return value === "" ? undefined : value;
}

const rawProtocols: readonly Protocol[] = ["sqs", "http", "https", "firehose"];

function readRaw(value: string, protocol: Protocol, prefix: string): boolean {
  const flag = value.toLowerCase();
  if (flag !== "true" && flag !== "false") {
    const text = `RawMessageDelivery: Invalid value [${value}]. Must be true or false.`;
    throw invalidParameter(prefix + text);
  }
  if (flag === "true" && !rawProtocols.includes(protocol)) {
    const text = `Delivery protocol [${protocol}] does not support raw message delivery.`;
    throw invalidParameter(prefix + text);
  }
  return flag === "true";
}

function readScope(value: string, prefix: string): FilterScope {
  const scope = filterScopes.find((each) => each === value);
  if (scope) return scope;
  const text = `Invalid value [${value}]. Please use either MessageBody or MessageAttributes`;
  throw invalidParameter(`${prefix}FilterPolicyScope: ${text}`);
}

/** A policy is checked under the scope that will hold for it, whichever of the two was set. */
function checkFilter({ filterPolicy, filterPolicyScope }: Changes, prefix: string): void {
  if (filterPolicy === undefined) return;
  const read = readFilterPolicy(filterPolicy, filterPolicyScope ?? "MessageAttributes");
  if ("problem" in read) throw invalidParameter(prefix + read.problem);
}

function readDeliveryPolicy(value: string, prefix: string): string | undefined {
  if (value === "") return undefined;
  const problem = subscriptionDeliveryPolicyProblem(value);
  if (problem === undefined) return value;
  throw invalidParameter(`${prefix}DeliveryPolicy: ${problem}`);
}

function readRole(value: string, prefix: string): string | undefined {
  if (value === "" || /^arn:[a-z-]+:iam::\d{12}:role\/[^\s]+$/.test(value)) return removable(value);
  // AWS?: the text.
  throw invalidParameter(`${prefix}SubscriptionRoleArn: must be the ARN of an IAM role`);
}
