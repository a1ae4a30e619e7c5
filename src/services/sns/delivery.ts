import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { assert, Fault, Refusal, StaleDecision } from "../../kernel/errors.ts";
import type { InvokeTarget } from "../../kernel/invoke.ts";
import type { Log } from "../../kernel/log.ts";
import type { Outcome } from "../../kernel/operation.ts";
import { type Soon, soon, unless } from "../../kernel/soon.ts";
import type { QueueContent } from "./deliverable.ts";
import { type SnsDependencies, servicePrincipal } from "./ports.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/** How one attempt ended. What was delivered into the server's own queues is not yet committed. */
export type Attempt =
  | {
      readonly delivered: true;
      readonly commands: readonly Command[];
      committed?(): void;
      readonly status: DeliveryStatus;
    }
  | { readonly delivered: false; readonly failure: DeliveryFailure };

/** What the endpoint said, for delivery status logs. */
export interface DeliveryStatus {
  readonly statusCode: number;
  /** Few topics log the status of deliveries. */
  response(): string;
}

/** Why a delivery failed: the endpoint's own words. */
export interface DeliveryFailure {
  readonly code: string;
  readonly text: string;
  /** AWS: failures on our side are tried again, those the endpoint's owner must mend are not. */
  readonly retryable: boolean;
  readonly statusCode: number;
}

/** A queue, and for which topic SNS sends there, with what follows from both. */
export class QueueTarget {
  readonly fifo: boolean;
  readonly invoke: InvokeTarget;
  /** `/<account>/<queue>`: the path of the queue's URL. */
  readonly #path: string;
  #url = { base: "", whole: "" };

  constructor(topicArn: string, queueArn: string) {
    const queue = parseArn(queueArn);
    const topic = parseArn(topicArn);
    assert(queue && topic, "a stored subscription names a queue and a topic");
    this.fifo = queueArn.endsWith(".fifo");
    this.invoke = {
      service: "sqs",
      operation: "SendMessage",
      region: queue.region,
      as: {
        kind: "service",
        service: servicePrincipal,
        sourceArn: topicArn,
        sourceAccountId: topic.accountId,
      },
    };
    this.#path = `/${queue.accountId}/${queue.resource}`;
  }

  url(base: string): string {
    if (this.#url.base !== base) this.#url = { base, whole: base + this.#path };
    return this.#url.whole;
  }
}

/** INVARIANT: a record object belongs to one subscription, so what follows from it can hang on it. */
const targets = new WeakMap<SubscriptionRecord, QueueTarget>();

/** Where a subscription with a queue of this server delivers to. */
export function targetOf(subscription: SubscriptionRecord): QueueTarget {
  const known = targets.get(subscription);
  if (known) return known;
  const target = new QueueTarget(subscription.topicArn, subscription.endpoint);
  targets.set(subscription, target);
  return target;
}

/**
 * Sends to a queue as `sns.amazonaws.com` for the topic. What goes wrong there is an answer: a hop
 * never fails the publisher. Throws StaleDecision only.
 */
export function sendToQueue(
  deps: SnsDependencies,
  call: Call,
  target: QueueTarget,
  content: QueueContent,
): Soon<Attempt> {
  const input = { QueueUrl: target.url(deps.publicUrl()), ...content };
  return unless<Attempt>(
    () =>
      soon(
        deps.invoke<SendMessageOutput>(call, target.invoke, input),
        (outcome) => new SentToQueue(outcome, call.requestId),
      ),
    (error) => {
      if (error instanceof StaleDecision) throw error;
      return { delivered: false, failure: describeFailure(error, deps.log) };
    },
  );
}

interface SendMessageOutput {
  readonly MessageId?: string;
}

/** SQS has nothing to wait for once it is told. */
interface SentOutcome extends Omit<Outcome<SendMessageOutput>, "committed"> {
  readonly committed?: () => void;
}

/** Few ask for its status. */
class SentToQueue {
  readonly delivered = true;
  readonly commands: readonly Command[];
  readonly #outcome: SentOutcome;
  readonly #requestId: string;

  constructor(outcome: SentOutcome, requestId: string) {
    this.commands = outcome.commands ?? [];
    this.#outcome = outcome;
    this.#requestId = requestId;
  }

  committed(): void {
    this.#outcome.committed?.();
  }

  get status(): DeliveryStatus {
    const { MessageId: sqsMessageId } = this.#outcome.output;
    const response = () => JSON.stringify({ sqsRequestId: this.#requestId, sqsMessageId });
    return { statusCode: 200, response };
  }
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
    const statusCode = error.status ?? 400;
    const retryable = throttlings.has(error.code) || statusCode >= 500;
    return { code: error.code, text: error.message, retryable, statusCode };
  }
  if (error instanceof Fault) {
    return { code: error.kind, text: error.message, retryable: true, statusCode: 503 };
  }
  // A bug at one endpoint must not keep the message from the others.
  log.error("delivery failed unexpectedly", { error });
  const text = "internal error, see the server's log";
  return { code: "InternalError", text, retryable: true, statusCode: 500 };
}
