import type { Log } from "../../kernel/log.ts";
import { deliveryPolicyProblem } from "./delivery-policy.ts";

/** An attribute's value as it is kept (undefined: removed), or what is wrong with it. */
export type CheckedAttribute =
  | { readonly value: string | undefined }
  | { readonly problem: string };

type Check = (value: string, name: string) => CheckedAttribute;

/** AWS: an empty value removes the attribute. */
const removable =
  (check: Check): Check =>
  (value, name) =>
    value === "" ? { value: undefined } : check(value, name);

const kept: Check = (value) => ({ value });

const oneOf =
  (...values: readonly string[]): Check =>
  (value, name) =>
    values.includes(value)
      ? { value }
      : { problem: `${name}: Invalid value [${value}]. Must be one of [${values.join(", ")}]` };

/** AWS: up to 100 characters. AWS?: the text. */
const displayName: Check = (value, name) =>
  value.length > 100 ? { problem: name } : { value: value === "" ? undefined : value };

const deliveryPolicy: Check = (value, name) => {
  const problem = deliveryPolicyProblem(value);
  return problem === undefined ? { value } : { problem: `${name}: ${problem}` };
};

/** AWS: since September 2026; strict, so no blanks, signs or decimals. */
const messageSize: Check = (value, name) => {
  const bytes = /^\d{1,7}$/.test(value) ? Number(value) : 0;
  if (bytes >= 1024 && bytes <= 1_048_576) return { value: String(bytes) };
  return { problem: `${name}: ${value} is not an integer between 1024 and 1048576 bytes` };
};

const sampleRate: Check = (value, name) =>
  /^\d{1,3}$/.test(value) && Number(value) <= 100
    ? { value: String(Number(value)) }
    : { problem: `${name}: Invalid value [${value}]. Must be an integer between 0 and 100` };

const roleArn: Check = (value, name) =>
  /^arn:[a-z-]+:iam::\d{12}:role\/[^\s]+$/.test(value)
    ? { value }
    : { problem: `${name}: Invalid value [${value}]. Must be the ARN of an IAM role` };

/** AWS: 1 to 365 days. AWS?: the text. */
const archivePolicy: Check = (value, name) => {
  const days = archiveDays(value);
  const whole = days !== undefined && Number.isInteger(days) && days >= 1 && days <= 365;
  return whole
    ? { value }
    : { problem: `${name}: MessageRetentionPeriod must be between 1 and 365 days` };
};

/** The period of an ArchivePolicy; undefined: there is none. */
export function archiveDays(text: string | undefined): number | undefined {
  try {
    const policy: unknown = JSON.parse(text ?? "");
    const period: unknown =
      typeof policy === "object" && policy !== null
        ? Reflect.get(policy, "MessageRetentionPeriod")
        : undefined;
    return typeof period === "string" || typeof period === "number" ? Number(period) : undefined;
  } catch {
    return undefined;
  }
}

/** Attributes for delivery status logs, which go to CloudWatch in AWS. */
const feedback: readonly (readonly [string, Check])[] = [
  "HTTP",
  "Firehose",
  "Lambda",
  "Application",
  "SQS",
].flatMap((protocol): [string, Check][] => [
  [`${protocol}SuccessFeedbackRoleArn`, removable(roleArn)],
  [`${protocol}SuccessFeedbackSampleRate`, removable(sampleRate)],
  [`${protocol}FailureFeedbackRoleArn`, removable(roleArn)],
]);

/** Every attribute of a standard topic that can be set, but for Policy. */
const checks: ReadonlyMap<string, Check> = new Map([
  ["DisplayName", displayName],
  ["DeliveryPolicy", removable(deliveryPolicy)],
  // AWS: any text is taken; what it names is looked up when something is published.
  ["KmsMasterKeyId", removable(kept)],
  ["MaximumMessageSize", messageSize],
  ["SignatureVersion", oneOf("1", "2")],
  ["TracingConfig", oneOf("PassThrough", "Active")],
  ...feedback,
]);

/** Attributes of FIFO topics alone. */
const fifoChecks: ReadonlyMap<string, Check> = new Map([
  ["ContentBasedDeduplication", oneOf("true", "false")],
  ["FifoThroughputScope", oneOf("Topic", "MessageGroup")],
  ["ArchivePolicy", removable(archivePolicy)],
]);

/** AWS: X-Ray is for standard topics alone. */
const standardOnly = new Set(["TracingConfig"]);

/** Checks one attribute. The problem goes behind `Invalid parameter: `. */
export function checkTopicAttribute(name: string, value: string, fifo: boolean): CheckedAttribute {
  // AWS?: the texts for attributes of the other kind of topic.
  if (!fifo && fifoChecks.has(name)) return { problem: `${name}: is valid for FIFO topics only` };
  if (fifo && standardOnly.has(name)) {
    return { problem: `${name}: is valid for standard topics only` };
  }
  const check = checks.get(name) ?? fifoChecks.get(name);
  return check ? check(value, name) : { problem: "AttributeName" };
}

/**
 * Attributes that are kept and shown but do nothing, because what they switch on (X-Ray) is no part
 * of Sealpost. Whoever sets one finds a warning in the log.
 */
function hasNoEffectYet(name: string, value: string): boolean {
  if (value === "") return false;
  return name === "TracingConfig" && value === "Active";
}

/** Says so, once for each such attribute that was set. */
export function warnWithoutEffect(
  log: Log,
  topicArn: string,
  attributes: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (!hasNoEffectYet(name, value)) continue;
    log.warn("topic attribute is kept but has no effect yet", { topicArn, attribute: name });
  }
}
