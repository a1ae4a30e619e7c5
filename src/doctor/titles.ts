import type { DecisionRequest } from "../auth/policy/index.ts";
import type { StatementReference } from "../kernel/errors.ts";
import type { JsonObject } from "../kernel/records.ts";
import { nameOf } from "./words.ts";

/** `Statement[1] "Sid" of the key policy of ARN` */
export function titleOf(request: DecisionRequest, reference: Titled): string {
  const { policyKind, policyName, statementIndex } = reference;
  if (policyKind === "grant") return `grant ${policyName}`;
  const sid = reference.sid ?? reference.statement?.Sid;
  const label = typeof sid === "string" && sid !== "" ? ` "${sid}"` : "";
  const place = policyTitle(request, policyKind, policyName);
  return statementIndex < 0 ? place : `Statement[${statementIndex}]${label} of ${place}`;
}

type Titled = Pick<StatementReference, "policyKind" | "policyName" | "statementIndex"> & {
  readonly sid?: string;
  readonly statement?: JsonObject;
};

function policyTitle({ caller, service }: DecisionRequest, kind: string, name: string): string {
  switch (kind) {
    case "key":
      return `the key policy of ${name}`;
    case "resource":
      return `the ${service === "sns" ? "topic" : "queue"} policy of ${name}`;
    case "identity":
      return `policy ${name} of ${nameOf(caller)}`;
    case "boundary":
      return `permissions boundary ${name}`;
    case "session":
      return `session policy ${name}`;
    case "endpoint":
      return `endpoint policy ${name}`;
    default:
      return `${kind} policy ${name}`;
  }
}
