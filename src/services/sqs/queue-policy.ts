import { compileDocument } from "../../auth/policy/compile.ts";
import { type PolicyDocument, parsePolicy } from "../../auth/policy/document.ts";
import { PolicyError } from "../../auth/policy/errors.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import { actionsMax, statementsMax } from "./permissions.ts";
import type { SqsContext } from "./ports.ts";
import { invalidAttributeValue } from "./refusals.ts";

/** AWS: quotas of a queue policy: its length, and the principals of all statements together. */
const policyBytesMax = 8192;
const principalsMax = 50;
/**
 * AWS: conditions. AWS?: that they are those of one statement: queues of twenty topics, with a
 * condition for each, were seen to meet the limit of statements, not this one.
 */
const conditionsMax = 10;

/**
 * A queue policy as its author wrote it, checked, with the users and roles that it names resolved.
 *
 * Throws OverLimit, or InvalidAttributeValue `Invalid value for the parameter Policy.`; DIFFERS:
 * with the reason.
 */
export async function attachQueuePolicy(
  context: SqsContext,
  call: Call,
  text: string,
): Promise<AttachedPolicy> {
  checkLength(text);
  const document = readPolicy(text);
  checkCounts(document);
  const { statements } = document;
  const principalIds: [string, string][] = [];
  for (const { principal } of statements) {
    for (const entry of principal?.values ?? []) {
      if (entry.kind !== "identity") continue;
      const id = await context.principals.resolve(call.records, entry.arn);
      if (id === undefined) {
        throw invalidAttributeValue("Policy", `There is no principal ${entry.arn}.`);
      }
      principalIds.push([entry.arn, id]);
    }
  }
  return { text, principalIds: Object.fromEntries(principalIds) };
}

/** Checks a policy that a permission was added to. Throws OverLimit. */
export function checkQuotas(text: string): void {
  checkLength(text);
  checkCounts(parsePolicy(text, "resource"));
}

/** Throws OverLimit. AWS: code and text were seen. */
function checkLength(text: string): void {
  if (Buffer.byteLength(text) <= policyBytesMax) return;
  throw new Refusal("OverLimit", "Submitted policy is over max allowed size.");
}

/** Throws OverLimit. AWS: texts for statements and actions were seen. AWS?: the others. */
function checkCounts({ statements }: PolicyDocument): void {
  const policy = "the submitted policy";
  const statement = `a statement from ${policy}`;
  refuseBeyond(statements.length, statementsMax, "statements", policy);
  for (const { action, conditions } of statements) {
    refuseBeyond(action?.values.length ?? 0, actionsMax, "actions", statement);
    refuseBeyond(conditions.length, conditionsMax, "conditions", statement);
  }
  const principals = statements.flatMap(({ principal }) => principal?.values ?? []);
  refuseBeyond(principals.length, principalsMax, "principals", policy);
}

function refuseBeyond(count: number, max: number, what: string, where: string): void {
  if (count <= max) return;
  const message = `${count} ${what} were found in ${where}, max allowed is ${max}`;
  throw new Refusal("OverLimit", message);
}

function readPolicy(text: string): PolicyDocument {
  try {
    const document = parsePolicy(text, "resource");
    compileDocument(document, "resource", "strict");
    for (const { action } of document.statements) {
      // AWS?: that actions of other services are refused.
      const foreign = action?.values.find((name) => name !== "*" && !/^sqs:/i.test(name));
      if (foreign === undefined) continue;
      throw new PolicyError(action?.path ?? "", `\`${foreign}\` is no action of SQS`);
    }
    return document;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw invalidAttributeValue("Policy", error.message);
  }
}

/**
 * The policy with another text whose statements name accounts only beyond those there were: who
 * the named users and roles are stays as it was when the policy was set.
 */
export function replacePolicyText(
  before: AttachedPolicy | undefined,
  text: string,
): AttachedPolicy {
  return { text, principalIds: before?.principalIds ?? {} };
}
