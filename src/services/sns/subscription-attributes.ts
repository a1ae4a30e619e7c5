import { invalidParameter, notAvailableYet } from "./errors.ts";

/** Attributes of a queue's subscription that can be set. */
export interface SubscriptionAttributes {
  readonly rawMessageDelivery?: boolean;
}

/** AWS: as Subscribe takes them; its refusals begin with `Attributes Reason: `. */
export function readSubscriptionAttributes(
  given: Readonly<Record<string, string>>,
): SubscriptionAttributes {
  let read: SubscriptionAttributes = {};
  for (const [name, value] of Object.entries(given)) {
    read = { ...read, ...readSubscriptionAttribute(name, value, "Attributes Reason: ") };
  }
  return read;
}

const notYet: ReadonlyMap<string, string> = new Map([
  ["FilterPolicy", "filter policies are"],
  ["FilterPolicyScope", "filter policies are"],
  ["RedrivePolicy", "dead-letter queues of subscriptions are"],
  ["DeliveryPolicy", "delivery policies of subscriptions are"],
  ["ReplayPolicy", "replay is"],
  ["SubscriptionRoleArn", "firehose subscriptions are"],
]);

/** Reads one attribute. Throws InvalidParameter, `prefix` behind `Invalid parameter: `. */
export function readSubscriptionAttribute(
  name: string,
  value: string,
  prefix = "",
): SubscriptionAttributes {
  if (name === "RawMessageDelivery") {
    const flag = value.toLowerCase();
    if (flag === "true" || flag === "false") return { rawMessageDelivery: flag === "true" };
    const text = `RawMessageDelivery: Invalid value [${value}]. Must be true or false.`;
    throw invalidParameter(prefix + text);
  }
  const what = notYet.get(name);
  if (what === undefined) throw invalidParameter(`${prefix}AttributeName`);
  // An empty value takes away what no subscription here can have.
  if (value === "") return {};
  throw notAvailableYet(prefix + name, what);
}
