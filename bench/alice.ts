import { type DecisionRequest, globalContext } from "../src/auth/policy/index.ts";
import type { UserCaller } from "../src/kernel/caller.ts";
import type { NamedPolicy } from "../src/kernel/policy.ts";

/** A user and the request that decisions are measured with. */

export const account = "111122223333";
export const queue = `arn:aws:sqs:us-east-1:${account}:orders`;
const caller: UserCaller = {
  kind: "user",
  accountId: account,
  arn: `arn:aws:iam::${account}:user/alice`,
  principalId: "AIDAALICE",
  accessKeyId: "AKIAEXAMPLE",
  userName: "alice",
  tags: { team: "orders" },
};

export function facts() {
  return globalContext({
    caller,
    transport: { secure: true, sourceIp: "203.0.113.7", userAgent: "aws-sdk-js/3" },
    nowMs: 1_700_000_000_000,
    region: "us-east-1",
    service: "sqs",
    resourceAccountId: account,
  });
}

/** Alice sends to a queue of her account. */
export function requestWith(identity: readonly NamedPolicy[]): DecisionRequest {
  return {
    caller,
    action: "sqs:SendMessage",
    resource: queue,
    resourceAccountId: account,
    service: "sqs",
    context: facts(),
    identity,
  };
}
