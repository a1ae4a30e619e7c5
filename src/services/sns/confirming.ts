import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import {
  type ConfirmationRecord,
  confirmationKind,
  confirmationLifeMs,
  confirmationScope,
  createToken,
} from "./confirmations.ts";
import type { ConfirmationMessage } from "./envelope.ts";
import { placed } from "./notification-place.ts";
import type { SnsDependencies } from "./ports.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";
import { type TopicRecord, topicFacts } from "./topics.ts";
import { type ConfirmationBody, putConfirmation } from "./undelivered.ts";

export interface AskedConfirmation {
  readonly subscription: SubscriptionRecord;
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** Sends a token to the endpoint: whoever brings it back confirms the subscription. */
export async function askForConfirmation(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  pending: SubscriptionRecord,
): Promise<AskedConfirmation> {
  const pendingUntilMs = call.now + confirmationLifeMs;
  const subscription = { ...pending, pendingUntilMs };
  const sent = await sendToken(deps, call, topic, subscription, "SubscriptionConfirmation");
  return { subscription, ...sent };
}

/** Tells the endpoint that it was unsubscribed, with a token that takes it back. */
export function tellOfCancellation(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  cancelled: SubscriptionRecord,
): Promise<Omit<AskedConfirmation, "subscription">> {
  return sendToken(deps, call, topic, cancelled, "UnsubscribeConfirmation");
}

/**
 * INVARIANT: the token is sealed like a body, under a key of the installation: to subscribe, nobody
 * needs a right to the topic's key. Only its digest is stored readable.
 */
async function sendToken(
  deps: SnsDependencies,
  call: Call,
  topic: TopicRecord,
  subscription: SubscriptionRecord,
  kind: ConfirmationMessage["kind"],
): Promise<Omit<AskedConfirmation, "subscription">> {
  const { token, id } = createToken(deps.random);
  const message: ConfirmationMessage = {
    kind,
    messageId: deps.random.uuid(),
    topicArn: topic.arn,
    subscriptionArn: subscription.arn,
    token,
    sentMs: call.now,
  };
  const record: ConfirmationRecord = {
    accountId: topic.accountId,
    region: topic.region,
    topicName: topic.name,
    subscriptionArn: subscription.arn,
    expiresMs: call.now + confirmationLifeMs,
    ...(kind === "UnsubscribeConfirmation" ? { restore: subscription } : {}),
  };
  const body: ConfirmationBody = { token, subscription };
  const place = { ...topicFacts(topic).place, encryption: { mode: "installation" } as const };
  const bodies = await deps.sealer.seal(call, place, [Buffer.from(JSON.stringify(body))]);
  const [sealed] = bodies.sealed;
  if (!sealed) throw new Error("the sealer answers one sealed body for each body");
  return {
    commands: [
      ...bodies.commands,
      confirmationKind.put(confirmationScope, id, record),
      placed(deps.places, putConfirmation(topic, message, sealed)),
    ],
    committed() {
      bodies.stored();
      deps.retryAt?.(subscription.arn, call.now);
    },
  };
}
