import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { JsonObject } from "../../kernel/records.ts";
import { invalidParameter } from "./errors.ts";

/** AWS: actions that a topic's policy may name, as its texts spell them. */
const policyActions: readonly string[] = [
  "AddPermission",
  "DeleteTopic",
  "GetDataProtectionPolicy",
  "GetTopicAttributes",
  "ListSubscriptionsByTopic",
  "ListTagsForResource",
  "Publish",
  "PutDataProtectionPolicy",
  "Receive",
  "RemovePermission",
  "SetTopicAttributes",
  "Subscribe",
];

const knownActions = new Set(policyActions.map((action) => action.toLowerCase()));

/** AWS: 30 KB and 100 statements. */
export const policyBytesMax = 30_720;
export const statementsMax = 100;

/** AWS: the policy of a topic that was created without one. */
export function defaultTopicPolicy(topicArn: string, accountId: string): AttachedPolicy {
  const text = JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "SNS:GetTopicAttributes",
          "SNS:SetTopicAttributes",
          "SNS:AddPermission",
          "SNS:RemovePermission",
          "SNS:DeleteTopic",
          "SNS:Subscribe",
          "SNS:ListSubscriptionsByTopic",
          "SNS:Publish",
        ],
        Resource: topicArn,
        Condition: { StringEquals: { "AWS:SourceOwner": accountId } },
      },
    ],
  });
  return { text, principalIds: {} };
}

/** True for two texts of one JSON value with its members in the same order. */
export function samePolicy(one: string, other: string): boolean {
  return one === other || normalised(one) === normalised(other);
}

function normalised(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

/** Whether an action of a policy, wildcards included, is one that topics know. */
export function isTopicAction(action: string): boolean {
  const text = action.toLowerCase();
  if (text === "*") return true;
  if (!text.startsWith("sns:")) return false;
  const name = text.slice(4);
  return knownActions.has(name) || /[*?]/.test(name);
}

export interface NewStatement {
  readonly label: string;
  readonly accountIds: readonly string[];
  /** Without the service: `Publish`. */
  readonly actions: readonly string[];
}

/** AWS: AddPermission. Throws InvalidParameter for a label twice and for foreign actions. */
export function addStatement(
  topicArn: string,
  policy: AttachedPolicy,
  { label, accountIds, actions }: NewStatement,
): AttachedPolicy {
  const { document, statements } = read(policy);
  if (statements.some(({ Sid }) => Sid === label)) {
    throw invalidParameter("Statement already exists");
  }
  const spelled = actions.map(
    (action) => policyActions.find((known) => known.toLowerCase() === action.toLowerCase()) ?? "",
  );
  if (spelled.includes("") || spelled.length === 0) {
    throw invalidParameter("Policy statement action out of service scope!");
  }
  // AWS?: the text.
  if (accountIds.length === 0 || accountIds.some((id) => !/^\d{12}$/.test(id))) {
    throw invalidParameter("AWSAccountId");
  }
  const added = {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: oneOrMany(accountIds.map((id) => `arn:aws:iam::${id}:root`)) },
    Action: oneOrMany(spelled.map((action) => `SNS:${action}`)),
    Resource: topicArn,
  };
  return bounded(policy, { ...document, Statement: [...statements, added] });
}

/**
 * AWS: RemovePermission. AWS?: a policy without a statement is none, so the default one takes its
 * place when the last statement goes.
 */
export function removeStatement(
  topicArn: string,
  accountId: string,
  policy: AttachedPolicy,
  label: string,
): AttachedPolicy {
  const { document, statements } = read(policy);
  const left = statements.filter(({ Sid }) => Sid !== label);
  if (left.length === statements.length) return policy;
  if (left.length === 0) return defaultTopicPolicy(topicArn, accountId);
  return bounded(policy, { ...document, Statement: left });
}

/** Throws InvalidParameter beyond AWS's limits. */
function checkPolicySize(text: string, statements: number): void {
  if (Buffer.byteLength(text) > policyBytesMax) {
    throw invalidParameter(`Policy Reason: longer than ${policyBytesMax} bytes`);
  }
  if (statements > statementsMax) {
    throw invalidParameter(`Policy Reason: more than ${statementsMax} statements`);
  }
}

function read(policy: AttachedPolicy): {
  readonly document: JsonObject;
  readonly statements: readonly JsonObject[];
} {
  const document: JsonObject & { readonly Statement: JsonObject | readonly JsonObject[] } =
    JSON.parse(policy.text);
  const { Statement } = document;
  return { document, statements: isList(Statement) ? Statement : [Statement] };
}

function bounded(policy: AttachedPolicy, document: { Statement: readonly unknown[] }) {
  const text = JSON.stringify(document);
  checkPolicySize(text, document.Statement.length);
  return { text, principalIds: policy.principalIds };
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : values;
}

function isList<T extends object>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}
