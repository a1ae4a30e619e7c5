import { Refusal } from "../../kernel/errors.ts";
import {
  checkFifoAttribute,
  checkThroughput,
  type FifoName,
  isFifoName,
} from "./fifo-attributes.ts";
import { invalidAttributeValue, unknownAttribute } from "./refusals.ts";

/** Attributes that a user sets and a record keeps as text (Policy is kept apart). */
export type SettableName =
  | NumberName
  | FifoName
  | "KmsMasterKeyId"
  | "SqsManagedSseEnabled"
  | "RedrivePolicy"
  | "RedriveAllowPolicy";

/** Set attributes as they are shown: decimal numbers, lower-case booleans, JSON as written. */
export type QueueAttributes = Readonly<Partial<Record<SettableName, string>>>;

/** Checked wishes of a request; `""` removes. */
export type AttributeChanges = QueueAttributes & { readonly Policy?: string };

type NumberName = keyof typeof numberRanges;

/** AWS: SetQueueAttributes, least and greatest value, both inclusive. */
const numberRanges = {
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
} as const;

/**
 * What a new queue has. AWS: SSE-SQS is on for new queues.
 * DIFFERS: also for those that were created over plain HTTP.
 */
export const presetAttributes: QueueAttributes = {
  DelaySeconds: "0",
  MaximumMessageSize: "1048576",
  MessageRetentionPeriod: "345600",
  ReceiveMessageWaitTimeSeconds: "0",
  VisibilityTimeout: "30",
  SqsManagedSseEnabled: "true",
};

export const reusePeriodSecondsPreset = "300";

/**
 * Checks the attributes of CreateQueue or SetQueueAttributes, and gives each its shown form. Throws
 * InvalidAttributeName or InvalidAttributeValue.
 */
export function checkAttributes(
  given: Readonly<Record<string, string | undefined>>,
  fifo: boolean,
): AttributeChanges {
  const changes: Partial<Record<keyof AttributeChanges, string>> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (isNumberName(name)) changes[name] = checkNumber(name, value);
    else if (name === "SqsManagedSseEnabled") changes[name] = checkBoolean(name, value);
    else if (isTextName(name)) changes[name] = value;
    else if (isFifoName(name)) changes[name] = checkFifoAttribute(name, value, fifo);
    else throw unknownAttribute(name);
  }
  if (changes.KmsMasterKeyId && changes.SqsManagedSseEnabled === "true") {
    throw new Refusal(
      "InvalidAttributeName",
      "You can use one type of server-side encryption (SSE) at one time. " +
        "You can either enable KMS SSE or SQS SSE.",
    );
  }
  return changes;
}

function isNumberName(name: string): name is NumberName {
  return Object.hasOwn(numberRanges, name);
}

function isTextName(
  name: string,
): name is "KmsMasterKeyId" | "RedrivePolicy" | "RedriveAllowPolicy" | "Policy" {
  return (
    name === "KmsMasterKeyId" ||
    name === "RedrivePolicy" ||
    name === "RedriveAllowPolicy" ||
    name === "Policy"
  );
}

function checkNumber(name: NumberName, value: string): string {
  const [least, greatest] = numberRanges[name];
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= greatest)) throw invalidAttributeValue(name);
  return String(number);
}

function checkBoolean(name: string, value: string): string {
  const lower = value.toLowerCase();
  if (lower !== "true" && lower !== "false") throw invalidAttributeValue(name);
  return lower;
}

/**
 * The attributes after a change, with AWS's rules for the two kinds of encryption: a KMS key turns
 * SSE-SQS off; SSE-SQS drops the KMS key; clearing the key leaves both off. Throws
 * InvalidAttributeValue where settings of a FIFO queue contradict each other.
 */
export function applyAttributes(
  before: QueueAttributes,
  changes: AttributeChanges,
): QueueAttributes {
  const { Policy: _, ...own } = changes;
  const after: Partial<Record<SettableName, string>> = { ...before, ...own };
  if (changes.KmsMasterKeyId) {
    after.SqsManagedSseEnabled = "false";
    after.KmsDataKeyReusePeriodSeconds ??= reusePeriodSecondsPreset;
  }
  if (changes.SqsManagedSseEnabled === "true" || changes.KmsMasterKeyId === "") {
    delete after.KmsMasterKeyId;
    delete after.KmsDataKeyReusePeriodSeconds;
  }
  if (after.RedrivePolicy === "") delete after.RedrivePolicy;
  if (after.RedriveAllowPolicy === "") delete after.RedriveAllowPolicy;
  checkThroughput(after);
  return after;
}

/** Settable attributes as GetQueueAttributes shows them. */
export function shownAttributes(
  attributes: QueueAttributes,
  policyText: string | undefined,
): Record<string, string> {
  const shown: Record<string, string> = { ...attributes };
  // AWS: the reuse period is shown only where a KMS key is set.
  if (!attributes.KmsMasterKeyId) delete shown.KmsDataKeyReusePeriodSeconds;
  if (policyText !== undefined) shown.Policy = policyText;
  return shown;
}

const jsonNames: ReadonlySet<string> = new Set(["Policy", "RedrivePolicy", "RedriveAllowPolicy"]);

/** The first mentioned attribute that an existing queue has with another value. */
export function differingAttribute(
  existing: QueueAttributes,
  policyText: string | undefined,
  changes: AttributeChanges,
): string | undefined {
  const present: Readonly<Record<string, string | undefined>> = { ...existing, Policy: policyText };
  return Object.entries(changes).find(([name, wished]) => {
    const value = present[name] ?? "";
    if (value === wished) return false;
    return !jsonNames.has(name) || canonicalJson(value) !== canonicalJson(wished);
  })?.[0];
}

function canonicalJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );
  } catch {
    return text;
  }
}
