import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Sealed } from "../../kernel/sealed.ts";
import type { SealedBodies } from "../../kernel/sealer.ts";
import { eachSoon, isPromise } from "../../kernel/soon.ts";
import { hasArchive, putArchived } from "./archive.ts";
import { type Deliverable, deliverable } from "./deliverable.ts";
import {
  type Batch,
  type Delivery,
  deliverLater,
  deliverNow,
  type Left,
  type Numbered,
} from "./deliveries.ts";
import type { Notification } from "./envelope.ts";
import { kmsFailure } from "./errors.ts";
import { fanoutOf, filterCounts, type Selection, selectSubscriptions } from "./fanout.ts";
import { bodyFor, bodyForSubscription, type CheckedMessage } from "./message.ts";
import type { SnsDependencies } from "./ports.ts";
import { type SubscriptionRecord, subscriptionsOf } from "./subscriptions.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";

/** What publishing came to: message ids in the order of the messages, and one act to commit. */
export interface Published {
  readonly messageIds: readonly string[];
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/**
 * Publishes checked messages: asks for the topic's data key as the publisher, then hands them to
 * every subscribed queue. What goes to other endpoints is stored, sealed, for the worker. All that
 * comes of it is one commit: data keys, messages in queues, what is still to be delivered.
 *
 * INVARIANT: the data key comes first. Whoever may not use the topic's key is refused before a
 * message has gone anywhere. Only what stays is sealed under it: most messages do not.
 */
export async function publish(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  messages: readonly Numbered[],
): Promise<Published> {
  const fanout = fanoutOf(await subscriptionsOf(call.records, topic));
  const batch: Batch = { deps, call, topic };
  const addressed = messages.map((numbered) => ({
    numbered,
    ...selectSubscriptions(fanout, numbered.message),
  }));
  await call.reserve(bytesInWork(deps, addressed));
  await seal(batch, []);
  const fanned = await Promise.all(addressed.map((each) => fanOut(batch, each)));
  const left = fanned.flatMap((each) => each.left);
  const stored = left.length > 0 ? await sealLeft(batch, left) : undefined;
  return gather(batch, messages, fanned, stored);
}

/** With whom it is for. */
interface Addressed extends Selection {
  readonly numbered: Numbered;
}

/**
 * What a delivery takes while it is on its way, beside its body: measured, half of it objects, half
 * the memory of ciphers and groups.
 */
const deliveryBytes = 16 * 1024;

/** A hundred queues for each of a hundred publishers at once would take all the memory there is. */
function bytesInWork({ sealer }: SnsDependencies, messages: readonly Addressed[]): number {
  let bytes = 0;
  for (const { numbered, selected } of messages) {
    const own = sealer.sharesBodies ? selected.filter(hasOwnBody).length + 2 : selected.length;
    bytes += selected.length * deliveryBytes + own * numbered.message.sizeBytes;
  }
  return bytes;
}

/** Queues share the body, raw or in an envelope. */
function hasOwnBody({ protocol }: SubscriptionRecord): boolean {
  return protocol !== "sqs";
}

/** Under the topic's data key. */
async function seal({ deps, call, topic }: Batch, texts: readonly Buffer[]): Promise<SealedBodies> {
  try {
    return await deps.sealer.seal(call, topicFacts(topic).place, texts);
  } catch (error) {
    throw kmsFailure(error, call);
  }
}

interface Stored {
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** Each body of a message is sealed once, however many endpoints wait for it. */
async function sealLeft(batch: Batch, left: readonly Left[]): Promise<Stored> {
  const texts: Buffer[] = [];
  const places = new Map<CheckedMessage, Map<string, number>>();
  const placeOf = ({ message, body }: Left): number => {
    const ofMessage = places.get(message) ?? new Map<string, number>();
    places.set(message, ofMessage);
    const at = ofMessage.get(body) ?? texts.push(Buffer.from(body, "utf8")) - 1;
    ofMessage.set(body, at);
    return at;
  };
  const at = left.map(placeOf);
  const bodies = await seal(batch, texts);
  const puts = left.map(({ put }, index) => {
    const sealed = bodies.sealed[at[index] ?? -1];
    if (!sealed) throw new Error("the sealer answers one sealed body for each body");
    return put(sealed);
  });
  return { commands: [...bodies.commands, ...puts], committed: () => bodies.stored() };
}

/** What comes of one message, to all whom it is for. */
interface Fanned {
  readonly deliveries: readonly Delivery[];
  readonly left: readonly Left[];
  committed(): void;
}

async function fanOut(
  batch: Batch,
  { numbered, selected, filteredOut }: Addressed,
): Promise<Fanned> {
  const { deps, topic } = batch;
  const deliverables = new Map<string, Deliverable>();
  const of = (body: string): Deliverable => {
    const known = deliverables.get(body);
    const made =
      known ??
      deliverable(
        deps.signer,
        notificationOf(batch, numbered, body),
        topicFacts(topic).signatureVersion,
      );
    deliverables.set(body, made);
    return made;
  };
  const asked = eachSoon(selected, (subscription) => {
    const body = bodyForSubscription(numbered.message, subscription);
    const now = subscription.protocol === "sqs" && !numbered.heldUpAt?.has(subscription.arn);
    return now
      ? deliverNow(batch, numbered, subscription, of(body))
      : deliverLater(batch, numbered, subscription, of(body));
  });
  const deliveries = isPromise(asked) ? await asked : asked;
  const left: Left[] = [];
  for (const each of deliveries) if (each.left) left.push(each.left);
  if (hasArchive(topic)) {
    const sent = of(bodyFor(numbered.message, "sqs")).notification;
    const put = (sealed: Sealed) => putArchived(deps, topic, sent, sealed);
    left.push({ message: numbered.message, body: sent.body, put });
  }
  return {
    deliveries,
    left,
    committed() {
      for (const each of deliveries) each.committed?.();
      for (const each of deliverables.values()) each.signAhead();
      for (const [metric, by] of filteredOut.flatMap(filterCounts)) {
        if (by > 0) deps.metrics.count(topic.arn, metric, by);
      }
    },
  };
}

function notificationOf(
  { call, topic }: Batch,
  { message, messageId, sequenceNumber }: Numbered,
  body: string,
): Notification {
  const { subject, attributes, groupId, deduplicationId, deduplicatedByContent } = message;
  return {
    messageId,
    topicArn: topic.arn,
    subject,
    body,
    attributes,
    groupId,
    deduplicationId,
    deduplicatedByContent,
    sequenceNumber,
    publishedMs: call.now,
  };
}

function gather(
  { deps, topic }: Batch,
  messages: readonly Numbered[],
  fanned: readonly Fanned[],
  stored: Stored | undefined,
): Published {
  const commands: Command[] = [];
  for (const { deliveries } of fanned) {
    for (const each of deliveries) commands.push(...each.commands);
  }
  if (stored) commands.push(...stored.commands);
  const sizeBytes = messages.reduce((sum, { message }) => sum + message.sizeBytes, 0);
  return {
    messageIds: messages.map(({ messageId }) => messageId),
    // A topic's data key is stored only with bodies that stay.
    commands,
    committed() {
      stored?.committed();
      deps.metrics.count(topic.arn, "NumberOfMessagesPublished", messages.length);
      deps.metrics.count(topic.arn, "PublishSize", sizeBytes);
      for (const each of fanned) each.committed();
    },
  };
}
