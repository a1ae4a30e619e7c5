import { parseArn } from "../../kernel/arn.ts";
import { invalidParameter } from "./errors.ts";

export interface RedriveRules {
  readonly region: string;
  /** AWS: the queue belongs to the subscription's account. */
  readonly accountId: string;
  /** The subscription is that of a FIFO queue. */
  readonly fifo: boolean;
}

/** Reads a RedrivePolicy: its dead-letter queue's ARN. Throws InvalidParameter behind `prefix`. */
export function checkRedrivePolicy(text: string, rules: RedriveRules, prefix: string): void {
  const target = readTarget(text, prefix);
  const queue = parseArn(target);
  const name = queue?.resource ?? "";
  const proper =
    queue?.service === "sqs" &&
    /^\d{12}$/.test(queue.accountId) &&
    /^[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(name);
  if (!proper) {
    throw invalidParameter(`${prefix}RedrivePolicy: deadLetterTargetArn is an invalid arn`);
  }
  // AWS?: the texts; the guide demands one account and region.
  if (queue.region !== rules.region || queue.accountId !== rules.accountId) {
    const text = "deadLetterTargetArn must be in the account and region of the subscription";
    throw invalidParameter(`${prefix}RedrivePolicy: ${text}`);
  }
  if (rules.fifo && !name.endsWith(".fifo")) {
    const text = "must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.";
    throw invalidParameter(`${prefix}RedrivePolicy: ${text}`);
  }
  if (!rules.fifo && name.endsWith(".fifo")) {
    const text = "must use a standard queue as DLQ for a standard Subscription.";
    throw invalidParameter(`${prefix}RedrivePolicy: ${text}`);
  }
}

/** ARN of the dead-letter queue of a policy that was checked. */
export function deadLetterTarget(text: string): string {
  return String(JSON.parse(text).deadLetterTargetArn);
}

function readTarget(text: string, prefix: string): string {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch (error) {
    const reason = `failed to parse JSON. ${(error as Error).message}`;
    throw invalidParameter(`${prefix}RedrivePolicy: ${reason}`);
  }
  const target: unknown =
    typeof policy === "object" && policy !== null
      ? Object.getOwnPropertyDescriptor(policy, "deadLetterTargetArn")?.value
      : undefined;
  return typeof target === "string" ? target : "";
}
