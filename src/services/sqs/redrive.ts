import { parseArn } from "../../kernel/arn.ts";
import type { RecordScope, RecordView } from "../../kernel/records.ts";
import { queueRecords } from "./records.ts";
import { invalidParameter, invalidValue } from "./refusals.ts";

/** Where messages go that were received too often. */
export interface Redrive {
  readonly targetArn: string;
  readonly targetName: string;
  readonly receiveCountMax: number;
}

const policyMembers = ["maxReceiveCount", "deadLetterTargetArn"];
const sourceArnsMax = 10;

/**
 * Checks a RedrivePolicy of the queue `arn`; the target must exist and allow this source. Throws
 * InvalidParameterValue.
 */
export async function checkRedrivePolicy(
  view: RecordView,
  scope: RecordScope,
  arn: string,
  text: string,
): Promise<void> {
  const { targetArn, targetName } = parseRedrive(text);
  const refuse = (reason: string) => invalidValue(text, "RedrivePolicy", reason);
  if (targetName.endsWith(".fifo") !== arn.endsWith(".fifo")) {
    throw refuse("Dead-letter queue must be same type of queue as the source..");
  }
  // AWS: a dead-letter queue has the account and region of its source. AWS?: the text for others.
  const home = parseArn(targetArn);
  const record =
    home?.accountId === scope.accountId && home.region === scope.region
      ? await queueRecords.get(view, scope, targetName)
      : undefined;
  if (!record) throw refuse("Dead letter target does not exist.");
  // DIFFERS: a queue that is its own dead-letter queue would turn in a circle; it is refused.
  if (targetArn === arn) throw refuse("A queue cannot be its own dead-letter queue.");
  if (!allowsSource(record.attributes.RedriveAllowPolicy, arn)) {
    // AWS?: the text.
    throw refuse("The redrive allow policy of the dead-letter queue does not allow this source.");
  }
}

/** Throws InvalidParameterValue with AWS's reason if the text is no RedrivePolicy. */
export function parseRedrive(text: string): Redrive {
  const policy = parseMap(text);
  if (!policy) {
    throw invalidParameter(
      "Invalid value for the parameter RedrivePolicy. " +
        "Reason: Redrive policy is not a valid JSON map.",
    );
  }
  const refuse = (reason: string) => invalidValue(text, "RedrivePolicy", reason);
  for (const name of policyMembers) {
    if (policy[name] === undefined) {
      throw refuse(`Redrive policy does not contain mandatory attribute: ${name}.`);
    }
  }
  if (Object.keys(policy).length !== policyMembers.length) {
    throw refuse(`Only following attributes are supported: [${policyMembers.join(", ")}].`);
  }
  const count = String(policy.maxReceiveCount);
  const receiveCountMax = /^\d{1,4}$/.test(count) ? Number(count) : 0;
  if (receiveCountMax < 1 || receiveCountMax > 1000) {
    const range = "valid values are from 1 to 1000 both inclusive.";
    throw refuse(`Invalid value for maxReceiveCount: ${count}, ${range}`);
  }
  const targetArn = String(policy.deadLetterTargetArn);
  const target = parseArn(targetArn);
  if (!target) throw refuse("Dead-letter target ARN should be fully qualified ARN.");
  if (target.service !== "sqs" || !target.resource) {
    throw refuse("Only SQS queues are valid resources for deadLetterTargetArn.");
  }
  return { targetArn, targetName: target.resource, receiveCountMax };
}

/** Throws InvalidParameterValue if the text is no RedriveAllowPolicy. */
export function checkRedriveAllowPolicy(text: string): void {
  const policy = parseMap(text);
  const permission = policy?.redrivePermission;
  const sources = policy?.sourceQueueArns;
  const known = permission === "allowAll" || permission === "denyAll" || permission === "byQueue";
  const listed = sources === undefined || (Array.isArray(sources) && sources.every(isString));
  if (!policy || !known || !listed || Object.keys(policy).some((name) => !allowMembers.has(name))) {
    throw invalidParameter(
      "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the " +
        "redrive allow policy, as it’s in an unsupported format.",
    );
  }
  const refuse = (reason: string) =>
    invalidValue(
      text,
      "RedriveAllowPolicy",
      `Amazon SQS can't create the redrive allow policy. ${reason}`,
    );
  const count = sources === undefined ? 0 : sources.length;
  if (permission === "byQueue" && count === 0) {
    throw refuse(
      "When you specify the byQueue permission type, you must also specify one or more " +
        "sourceQueueArns values.",
    );
  }
  if (count > sourceArnsMax) {
    throw refuse("The maximum number of source queue ARNs you can specify is 10.");
  }
  if (permission !== "byQueue" && sources !== undefined) {
    throw refuse(
      "To specify one or more source queue ARNs, you must set redrivePermission to byQueue.",
    );
  }
}

const allowMembers: ReadonlySet<string> = new Set(["redrivePermission", "sourceQueueArns"]);

/** Whether a RedriveAllowPolicy lets this queue send its dead letters. */
export function allowsSource(allowPolicy: string | undefined, sourceArn: string): boolean {
  const policy = allowPolicy ? parseMap(allowPolicy) : undefined;
  if (!policy || policy.redrivePermission === "allowAll") return true;
  const sources = policy.sourceQueueArns;
  return Array.isArray(sources) && sources.includes(sourceArn);
}

function parseMap(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    return isMap ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
