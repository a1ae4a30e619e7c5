import { parseArn } from "../kernel/arn.ts";
import type { Caller, ServiceCaller } from "../kernel/caller.ts";
import { deadLetterTarget } from "../services/sns/redrive-policy.ts";
import type { SubscriptionRecord } from "../services/sns/subscriptions.ts";
import { findQueue, type Queue } from "../services/sqs/queue.ts";
import { type Hop, hopsOf, plainHop } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { type KeyedPlace, keyAllows, keyedPlace, keyHops } from "./key-hops.ts";
import { mayPlay, type Part, type Player, playersOf } from "./parties.ts";
import { secured } from "./secured.ts";
import { nameOf } from "./words.ts";

export interface QueueHopsOptions {
  /** Only what it takes to get into the queue, not out of it again. */
  readonly deliveryOnly?: boolean;
  readonly consumer: Caller | undefined;
  readonly requireDecryptToSend: boolean;
}

/** From a topic over one subscription to whoever receives in the end. */
export async function subscriptionHops(
  inquiry: Inquiry,
  subscription: Readonly<SubscriptionRecord>,
  options: QueueHopsOptions,
): Promise<readonly Hop[]> {
  const { topicArn, endpoint, protocol, pending, redrivePolicy, arn } = subscription;
  const step = { from: topicArn, to: endpoint, action: "deliver", resource: endpoint };
  if (pending) {
    return [plainHop(step, false, `${arn} waits for its confirmation and gets no messages`)];
  }
  const hops: Hop[] = [];
  if (protocol === "sqs") hops.push(...(await queueHops(inquiry, topicArn, endpoint, options)));
  else {
    const reason = `SNS opens the body and delivers it by ${protocol}; no key right is needed there`;
    hops.push(plainHop(step, true, reason));
  }
  if (redrivePolicy) {
    const target = deadLetterTarget(redrivePolicy);
    hops.push(...(await queueHops(inquiry, topicArn, target, options)));
  }
  return hops;
}

/**
 * From a topic into a queue: one that is subscribed, or the dead-letter queue of a subscription.
 * Queue policy, the queue's key for SNS, its consumers, and its own dead-letter queue.
 */
async function queueHops(
  inquiry: Inquiry,
  topicArn: string,
  queueArn: string,
  options: QueueHopsOptions,
): Promise<readonly Hop[]> {
  const arn = parseArn(queueArn);
  const scope = { accountId: arn?.accountId ?? "", region: arn?.region ?? "" };
  const queue = await findQueue(inquiry.view, scope, arn?.resource ?? "");
  const step = { from: topicArn, to: queueArn, action: "sqs:SendMessage", resource: queueArn };
  if (!queue) {
    const reason = `there is no queue ${queueArn}: notifications for it are not delivered`;
    return [plainHop(step, false, reason)];
  }
  const caller: ServiceCaller = {
    kind: "service",
    service: "sns.amazonaws.com",
    sourceArn: topicArn,
    sourceAccountId: parseArn(topicArn)?.accountId ?? "",
  };
  const supposed = { caller, action: "sqs:SendMessage", service: "sqs", region: scope.region };
  const verdict = judge(await inquiry.ask(supposed, queue.uses[0]));
  const place = await placeOf(inquiry, queue);
  const hops = [...hopsOf(step, verdict)];
  if (place) {
    const who = { caller, from: queueArn };
    hops.push(...(await keyHops(inquiry, place, "GenerateDataKey", who)));
    if (options.requireDecryptToSend) {
      hops.push(...(await keyHops(inquiry, place, "Decrypt", who)));
    }
  }
  if (options.deliveryOnly) return hops;
  hops.push(...(await consumerHops(inquiry, queue, place ? [place] : [], options)));
  hops.push(...(await deadLetterHops(inquiry, queue, place, options)));
  return hops;
}

function placeOf(inquiry: Inquiry, queue: Queue): Promise<KeyedPlace | undefined> {
  const { encryption } = queue.sealing;
  const keyId = encryption.mode === "kms" ? encryption.keyId : undefined;
  return keyedPlace(inquiry, { ...queue.scope, service: "sqs", arn: queue.arn }, keyId);
}

/**
 * The dead-letter queue of a queue. AWS: messages keep the encryption of the queue that they come
 * from, so its consumers need that queue's key as well as that of the dead-letter queue.
 */
async function deadLetterHops(
  inquiry: Inquiry,
  queue: Queue,
  place: KeyedPlace | undefined,
  options: QueueHopsOptions,
): Promise<readonly Hop[]> {
  const { redrive, arn, scope } = queue;
  if (!redrive) return [];
  const { targetArn, targetName, receiveCountMax } = redrive;
  const step = { from: arn, to: targetArn, action: "redrive", resource: targetArn };
  const target = await findQueue(inquiry.view, scope, targetName);
  if (!target) {
    const reason =
      `the dead-letter queue ${targetArn} does not exist: messages stay in ${arn} and are ` +
      "received again and again";
    return [plainHop(step, false, reason)];
  }
  const moved = `a message moves there when it was received ${receiveCountMax} times, still sealed`;
  const own = await placeOf(inquiry, target);
  const places = [place, own].filter((one) => one !== undefined);
  return [
    plainHop(step, true, `${moved} under the key of ${arn}; nobody needs a right to move it`),
    ...(await consumerHops(inquiry, target, places, options)),
  ];
}

/** Who receives from a queue, and the keys that its messages may be sealed under. */
async function consumerHops(
  inquiry: Inquiry,
  queue: Queue,
  places: readonly KeyedPlace[],
  { consumer }: QueueHopsOptions,
): Promise<readonly Hop[]> {
  const { scope, arn } = queue;
  const part: Part = {
    accountId: scope.accountId,
    action: "sqs:ReceiveMessage",
    service: "sqs",
    region: scope.region,
    use: queue.uses[0],
    signs: ["sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
    keyAllows: async (caller) => {
      for (const place of places) {
        if (!(await keyAllows(inquiry, place, "Decrypt", caller))) return false;
      }
      return true;
    },
  };
  const players: readonly Player[] = consumer
    ? [{ caller: consumer, verdict: await mayPlay(inquiry, part, consumer) }]
    : await playersOf(inquiry, part);
  const hops: Hop[] = [];
  for (const { caller, verdict } of players) {
    const from = nameOf(caller);
    const step = { from, to: arn, action: part.action, resource: arn };
    const sealed = queue.uses[0].secureTransportOnly;
    hops.push(...hopsOf(step, sealed ? secured(verdict) : verdict));
    for (const place of places) {
      hops.push(...(await keyHops(inquiry, place, "Decrypt", { caller, from })));
    }
  }
  return hops;
}
