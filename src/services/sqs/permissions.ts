import { Refusal } from "../../kernel/errors.ts";
import { invalidValue, missingParameter } from "./refusals.ts";

/** What AddPermission adds to a queue's policy. */
export interface Permission {
  readonly label: string;
  readonly accountIds: readonly string[];
  /** As given: `SendMessage`, `*`. */
  readonly actions: readonly string[];
}

/** AWS: actions that a policy made by AddPermission can open. */
const sharable: ReadonlySet<string> = new Set([
  "*",
  "SendMessage",
  "ReceiveMessage",
  "DeleteMessage",
  "ChangeMessageVisibility",
  "GetQueueAttributes",
  "GetQueueUrl",
  "ListDeadLetterSourceQueues",
  "PurgeQueue",
]);
const ownerOnly: ReadonlySet<string> = new Set([
  "AddPermission",
  "CreateQueue",
  "DeleteQueue",
  "ListQueues",
  "ListQueueTags",
  "RemovePermission",
  "SetQueueAttributes",
  "TagQueue",
  "UntagQueue",
]);
/** AWS: actions of a statement. */
export const actionsMax = 7;
/** AWS: statements of a policy. */
export const statementsMax = 20;

/** Throws MissingParameter, InvalidParameterValue or OverLimit. */
export function checkPermission(permission: Permission): void {
  const { label, accountIds, actions } = permission;
  if (label === "") throw missingParameter("Label");
  if (!/^[A-Za-z0-9_-]{1,80}$/.test(label)) {
    // AWS?: the text.
    const reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80.";
    throw invalidValue(label, "Label", reason);
  }
  if (actions.length === 0) throw missingParameter("ActionName");
  if (accountIds.length === 0) throw missingParameter("AWSAccountIds");
  for (const action of actions) checkAction(action);
  if (actions.length > actionsMax) {
    const message = `${actions.length} Actions were found, maximum allowed is ${actionsMax}.`;
    throw new Refusal("OverLimit", message);
  }
  const wrong = accountIds.find((id) => !/^\d{12}$/.test(id));
  if (wrong !== undefined) {
    // AWS?: the text.
    throw invalidValue(`[${wrong}]`, "PrincipalId", "Unable to verify.");
  }
}

function checkAction(action: string): void {
  if (sharable.has(action)) return;
  const reason = ownerOnly.has(action)
    ? "Only the queue owner is allowed to invoke this action."
    : "Please refer to the appropriate WSDL for a list of valid actions.";
  throw invalidValue(`SQS:${action}`, "ActionName", reason);
}

type Statement = Readonly<Record<string, unknown>>;
type Document = Readonly<Record<string, unknown>> & { readonly Statement: readonly Statement[] };

/** The policy text with the permission added. Throws InvalidParameterValue, OverLimit. */
export function addStatement(text: string | undefined, arn: string, wish: Permission): string {
  const document = text === undefined ? emptyDocument(arn) : readDocument(text);
  if (document.Statement.some(({ Sid }) => Sid === wish.label)) {
    throw invalidValue(wish.label, "Label", "Already exists.");
  }
  const statements = [...document.Statement, statementOf(arn, wish)];
  if (statements.length > statementsMax) {
    const message = `${statements.length} Statements were found, maximum allowed is 20.`;
    throw new Refusal("OverLimit", message);
  }
  return JSON.stringify({ ...document, Statement: statements });
}

/** The policy text without a statement; undefined: none is left. Throws InvalidParameterValue. */
export function removeStatement(text: string | undefined, label: string): string | undefined {
  const document = text === undefined ? undefined : readDocument(text);
  const left = document?.Statement.filter(({ Sid }) => Sid !== label) ?? [];
  if (!document || left.length === document.Statement.length) {
    throw invalidValue(label, "Label", "can't find label.");
  }
  return left.length === 0 ? undefined : JSON.stringify({ ...document, Statement: left });
}

function emptyDocument(arn: string): Document {
  return { Version: "2008-10-17", Id: `${arn}/SQSDefaultPolicy`, Statement: [] };
}

/** The text was checked to be a policy when it was saved. */
function readDocument(text: string): Document {
  const document = JSON.parse(text) as Document | { readonly Statement: Statement };
  const { Statement } = document;
  const list = Array.isArray(Statement) ? Statement : [Statement as Statement];
  return { ...document, Statement: list };
}

function statementOf(arn: string, { label, accountIds, actions }: Permission): Statement {
  return {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: oneOrList(accountIds.map((id) => `arn:aws:iam::${id}:root`)) },
    Action: oneOrList(actions.map((action) => `SQS:${action}`)),
    Resource: arn,
  };
}

function oneOrList(values: readonly string[]): string | readonly string[] {
  const [first = ""] = values;
  return values.length === 1 ? first : values;
}
