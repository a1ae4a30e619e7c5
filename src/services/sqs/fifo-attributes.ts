import { Refusal } from "../../kernel/errors.ts";
import { invalidAttributeValue, unknownAttribute } from "./refusals.ts";

/** Attributes that only FIFO queues have. */
export type FifoName =
  | "FifoQueue"
  | "ContentBasedDeduplication"
  | "DeduplicationScope"
  | "FifoThroughputLimit";

export type FifoAttributes = Readonly<Record<FifoName, string>>;

/** What a new FIFO queue has beside the preset of all queues. */
export const fifoPreset: FifoAttributes = {
  FifoQueue: "true",
  ContentBasedDeduplication: "false",
  DeduplicationScope: "queue",
  FifoThroughputLimit: "perQueue",
};

const scopes = ["queue", "messageGroup"];
const limits = ["perQueue", "perMessageGroupId"];

export function isFifoName(name: string): name is FifoName {
  return Object.hasOwn(fifoPreset, name);
}

/**
 * The shown form of an attribute of a FIFO queue. Throws InvalidAttributeValue, or what AWS says of
 * it on a standard queue.
 */
export function checkFifoAttribute(name: FifoName, value: string, fifo: boolean): string {
  if (!fifo) throw onStandardQueue(name);
  switch (name) {
    case "FifoQueue":
      if (value.toLowerCase() === "true") return "true";
      throw invalidAttributeValue(
        name,
        value.toLowerCase() === "false" ? "Modifying queue type is not supported." : undefined,
      );
    case "ContentBasedDeduplication": {
      const lower = value.toLowerCase();
      if (lower === "true" || lower === "false") return lower;
      throw invalidAttributeValue(name);
    }
    case "DeduplicationScope":
      if (scopes.includes(value)) return value;
      throw invalidAttributeValue(name);
    case "FifoThroughputLimit":
      if (limits.includes(value)) return value;
      throw invalidAttributeValue(name);
  }
}

function onStandardQueue(name: FifoName): Refusal {
  if (name === "FifoQueue" || name === "ContentBasedDeduplication") return unknownAttribute(name);
  // AWS?: the code of this text; the text is recorded.
  const message = `You can specify the ${name} only when FifoQueue is set to true.`;
  return new Refusal("InvalidAttributeName", message);
}

/** Checks what holds between attributes after a change. AWS?: the code; the text is recorded. */
export function checkThroughput(after: Readonly<Partial<Record<FifoName, string>>>): void {
  const perGroup = after.FifoThroughputLimit === "perMessageGroupId";
  if (!perGroup || after.DeduplicationScope === "messageGroup") return;
  throw new Refusal(
    "InvalidAttributeValue",
    "The perMessageGroupId value is allowed only when the value for DeduplicationScope is " +
      "messageGroup",
  );
}
