import type { PolicyCaller } from "../auth/policy/index.ts";
import type { Json } from "../kernel/json.ts";
import type { ConditionValue } from "../kernel/operation.ts";
import type { ExaminedCondition } from "./examine.ts";

/** `ArnLike aws:SourceArn "a" holds: the request has "b"` */
export function describeCondition(condition: ExaminedCondition): string {
  const { operator, key, wanted, value, holds } = condition;
  const outcome = holds ? "holds" : "does not hold";
  return `${operator} ${key} ${shownJson(wanted)} ${outcome}: ${describeValue(key, value)}`;
}

export function describeValue(key: string, value: ConditionValue | undefined): string {
  if (value === undefined) return `the request has no ${key}`;
  return `the request has ${shownJson(value)}`;
}

function shownJson(value: Json): string {
  return JSON.stringify(value);
}

/** Session name of a role that is only supposed to be assumed. */
export const supposedSession = "doctor";

/** How texts name a caller: a supposed session of a role by its role. */
export function nameOf(caller: PolicyCaller): string {
  switch (caller.kind) {
    case "service":
      return caller.service;
    case "anonymous":
      return "anonymous";
    case "web-identity":
      return `${caller.provider} ${caller.subject}`;
    case "role-session":
      return caller.sessionName === supposedSession ? caller.roleArn : caller.arn;
    default:
      return caller.arn;
  }
}
