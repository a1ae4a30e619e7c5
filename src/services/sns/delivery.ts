import { parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import { assert, Fault, Refusal, StaleDecision } from "../../kernel/errors.ts";
import type { InvokeTarget } from "../../kernel/invoke.ts";
import type { Log } from "../../kernel/log.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { QueueContent } from "./deliverable.ts";
import { type SnsDependencies, servicePrincipal } from "./ports.ts";

/** How one attempt ended. What was delivered into the server's own queues is not yet committed. */
export type Attempt =
  | {
      readonly delivered: true;
      readonly commands: readonly Command[];
      readonly committed: (() => void) | undefined;
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

export interface QueueTarget {
  readonly queueArn: string;
  /** For which topic SNS acts. */
  readonly topicArn: string;
}

/**
 * Sends to a queue as `sns.amazonaws.com` for the topic. What goes wrong there is an answer: a hop
 * never fails the publisher. Throws StaleDecision only.
 */
export async function sendToQueue(
  deps: SnsDependencies,
  call: Call,
  target: QueueTarget,
  content: QueueContent,
): Promise<Attempt> {
  const { queuePath, invoke } = queueFacts(target);
  const input = { QueueUrl: deps.publicUrl() + queuePath, ...content };
  try {
    const outcome: Outcome<{ MessageId?: string }> = await deps.invoke(call, invoke, input);
    const { MessageId } = outcome.output;
    return {
      delivered: true,
      commands: outcome.commands ?? [],
      committed: outcome.committed,
      status: {
        statusCode: 200,
        response: () => JSON.stringify({ sqsRequestId: call.requestId, sqsMessageId: MessageId }),
      },
    };
  } catch (error) {
    if (error instanceof StaleDecision) throw error;
    return { delivered: false, failure: describeFailure(error, deps.log) };
  }
}

interface QueueFacts {
  /** `/<account>/<queue>`: the path of the queue's URL. */
  readonly queuePath: string;
  readonly invoke: InvokeTarget;
}

function queueFacts({ queueArn, topicArn }: QueueTarget): QueueFacts {
  const queue = parseArn(queueArn);
  const topic = parseArn(topicArn);
  assert(queue && topic, "a stored subscription names a queue and a topic");
  return {
    queuePath: `/${queue.accountId}/${queue.resource}`,
    invoke: {
      service: "sqs",
      operation: "SendMessage",
      region: queue.region,
      as: {
        kind: "service",
        service: servicePrincipal,
        sourceArn: topicArn,
        sourceAccountId: topic.accountId,
      },
    },
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
