import { parseArn } from "../kernel/arn.ts";
import { partsOfSubscription, subscriptionKind } from "../services/sns/subscriptions.ts";
import { type TopicRecord, topicKind } from "../services/sns/topics.ts";
import type { Hop, Missing } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { keyedPlace, keyHops } from "./key-hops.ts";
import { type QueueHopsOptions, subscriptionHops } from "./queue-hops.ts";

/** What hinders the deliveries of a subscription now. */
export interface Hindrance {
  /** Of each denied hop; none: nothing that doctor knows hinders them any more. */
  readonly reasons: readonly string[];
  readonly missing?: Missing;
  /** Where more than one policy has to agree. */
  readonly alsoMissing?: readonly Missing[];
}

/**
 * Asks anew what a delivery needs: the topic's key to open the body, then the queue, its key, and
 * the dead-letter queue of the subscription. What other endpoints answered is in the failure's text.
 */
async function hindranceOf(
  inquiry: Inquiry,
  subscriptionArn: string,
  options: QueueHopsOptions,
): Promise<Hindrance> {
  const { view } = inquiry;
  const arn = parseArn(subscriptionArn);
  const scope = { accountId: arn?.accountId ?? "", region: arn?.region ?? "" };
  const { name, id } = partsOfSubscription(subscriptionArn);
  const topic = await topicKind.get(view, scope, name);
  const subscription = await subscriptionKind.get(view, scope, id);
  if (!topic || !subscription) {
    return { reasons: [`the ${topic ? "subscription" : "topic"} is gone`] };
  }
  const hops = [
    ...(await topicKeyHops(inquiry, topic)),
    ...(await subscriptionHops(inquiry, subscription, options)),
  ];
  return hindrance(hops.filter(({ allowed }) => !allowed));
}

function hindrance(denied: readonly Hop[]): Hindrance {
  const [missing, ...alsoMissing] = denied.flatMap((hop) => (hop.missing ? [hop.missing] : []));
  return {
    reasons: [...new Set(denied.map(({ reason }) => reason))],
    ...(missing && { missing }),
    ...(alsoMissing.length > 0 && { alsoMissing }),
  };
}

/** A later delivery opens the body as SNS, acting for the topic. */
async function topicKeyHops(
  inquiry: Inquiry,
  { accountId, region, arn, attributes }: Readonly<TopicRecord>,
): Promise<readonly Hop[]> {
  const resource = { accountId, region, service: "sns", arn } as const;
  const place = await keyedPlace(inquiry, resource, attributes.KmsMasterKeyId);
  if (!place) return [];
  const service = "sns.amazonaws.com";
  const caller = { kind: "service", service, sourceArn: arn, sourceAccountId: accountId } as const;
  return keyHops(inquiry, place, "Decrypt", { caller, from: arn });
}

/** Of each of these subscriptions, asked once. */
export async function hindrancesOf(
  inquiry: Inquiry,
  subscriptionArns: readonly string[],
  { requireDecryptToSend }: { readonly requireDecryptToSend: boolean },
): Promise<ReadonlyMap<string, Hindrance>> {
  const found = new Map<string, Hindrance>();
  const options = { requireDecryptToSend, consumer: undefined, deliveryOnly: true };
  for (const arn of new Set(subscriptionArns)) {
    found.set(arn, await hindranceOf(inquiry, arn, options));
  }
  return found;
}
