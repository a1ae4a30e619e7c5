import type { SendMessageRequest } from "@aws-sdk/client-sqs";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { Fault, Refusal, StaleDecision } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import {
  type Notification,
  renderEnvelope,
  type SignedNotification,
  unsubscribeUrl,
} from "./envelope.ts";
import { queueAttributes } from "./message-attributes.ts";
import type { SnsDependencies } from "./ports.ts";
import { retryDelayMs } from "./retries.ts";
import { type SubscriptionRecord, subscriptionFacts } from "./subscriptions.ts";

/** A notification to be delivered; signed if any of its subscriptions is enveloped. */
export interface Deliverable {
  readonly notification: Notification;
  readonly signed: SignedNotification | undefined;
}

export type Attempt =
  | {
      readonly delivered: true;
      readonly commands: readonly Command[];
      readonly committed: (() => void) | undefined;
    }
  | { readonly delivered: false; readonly failure: DeliveryFailure };

/** Why a delivery failed: the queue's or its key's own words. */
export interface DeliveryFailure {
  readonly code: string;
  readonly text: string;
  /** AWS: failures on our side are tried again, those the endpoint's owner must mend are not. */
  readonly retryable: boolean;
}

/**
 * Hands a notification to a subscribed queue as `sns.amazonaws.com` for the topic. What goes wrong
 * there is an answer: a hop never fails the publisher. Throws StaleDecision only.
 */
export async function deliver(
  deps: SnsDependencies,
  call: Call,
  subscription: SubscriptionRecord,
  deliverable: Deliverable,
): Promise<Attempt> {
  const { queuePath, target } = subscriptionFacts(subscription);
  const publicUrl = deps.publicUrl();
  const input: Wire<SendMessageRequest> = {
    QueueUrl: publicUrl + queuePath,
    ...content(subscription, deliverable, publicUrl),
  };
  try {
    const outcome: Outcome<unknown> = await deps.invoke(call, target, input);
    return { delivered: true, commands: outcome.commands ?? [], committed: outcome.committed };
  } catch (error) {
    if (error instanceof StaleDecision) throw error;
    return { delivered: false, failure: describeFailure(error, deps.log) };
  }
}

function content(
  subscription: SubscriptionRecord,
  { notification, signed }: Deliverable,
  publicUrl: string,
): Omit<Wire<SendMessageRequest>, "QueueUrl"> {
  const { body, attributes, groupId } = notification;
  const group = groupId === undefined ? {} : { MessageGroupId: groupId };
  if (!subscription.rawMessageDelivery && signed) {
    return {
      MessageBody: renderEnvelope(signed, unsubscribeUrl(publicUrl, subscription.arn)),
      ...group,
    };
  }
  if (!subscription.rawMessageDelivery) throw new Error("an enveloped delivery must be signed");
  return {
    MessageBody: body,
    ...(attributes ? { MessageAttributes: queueAttributes(attributes) } : {}),
    ...group,
  };
}

/** KMS or the queue asks for patience: our side, not the owner's. */
const throttlings: ReadonlySet<string> = new Set([
  "KmsThrottled",
  "KMS.ThrottlingException",
  "ThrottlingException",
  "RequestThrottled",
  "KeyUnavailableException",
]);

export function describeFailure(error: unknown, log: Log): DeliveryFailure {
  if (error instanceof Refusal) {
    const retryable = throttlings.has(error.code) || (error.status ?? 400) >= 500;
    return { code: error.code, text: error.message, retryable };
  }
  if (error instanceof Fault) {
    return { code: error.kind, text: error.message, retryable: true };
  }
  // A bug at one queue must not keep the message from the others.
  log.error("delivery failed unexpectedly", { error });
  return { code: "InternalError", text: "internal error, see the server's log", retryable: true };
}

/** When to try again after this failure; undefined: given up. */
export function nextAttemptMs(
  nowMs: number,
  attempts: number,
  failure: DeliveryFailure,
): number | undefined {
  const delayMs = failure.retryable ? retryDelayMs(attempts) : undefined;
  return delayMs === undefined ? undefined : nowMs + delayMs;
}

/** Tells of a failed attempt, without a word of the body, and counts what was given up. */
export function reportFailure(
  deps: SnsDependencies,
  failed: {
    readonly subscriptionArn: string;
    readonly messageId: string;
    readonly attempts: number;
    readonly failure: DeliveryFailure;
    readonly nextAttemptMs: number | undefined;
  },
): void {
  const { failure, nextAttemptMs: retryMs, ...facts } = failed;
  deps.log.warn(
    retryMs === undefined ? "notification given up" : "notification not delivered yet",
    { ...facts, code: failure.code, reason: failure.text, retryMs },
  );
  // AWS: failed deliveries to queues are counted once, when they are given up.
  if (retryMs === undefined) deps.metrics.count("NumberOfNotificationsFailed", 1);
  else deps.retryAt?.(retryMs);
}
