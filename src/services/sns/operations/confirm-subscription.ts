import type { ConfirmSubscriptionInput, ConfirmSubscriptionResponse } from "@aws-sdk/client-sns";
import { parseArn } from "../../../kernel/arn.ts";
import type { Call } from "../../../kernel/call.ts";
import { callerAccountId } from "../../../kernel/caller.ts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation, Outcome } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type ConfirmationRecord,
  confirmationKind,
  confirmationScope,
  isToken,
  tokenId,
} from "../confirmations.ts";
import { invalidParameter } from "../errors.ts";
import { saveSubscription } from "../subscription-changes.ts";
import { partsOfSubscription, subscriptionKind } from "../subscriptions.ts";
import { topicKind, topicType } from "../topics.ts";

type Input = Wire<ConfirmSubscriptionInput>;
type Output = Wire<ConfirmSubscriptionResponse>;

/**
 * AWS: ConfirmSubscription, by call or by the link. The token decides; the ARN only has to be one.
 * A signed call needs the right to it under the caller's own policies.
 */
export function confirmSubscriptionOperation(): Operation<Input, Output> {
  return {
    name: "ConfirmSubscription",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["TopicArn", "AuthenticateOnUnsubscribe"],
      response: ["SubscriptionArn"],
    },
    resources({ TopicArn }, call) {
      checkTopicArn(call, TopicArn);
      const accountId = callerAccountId(call.caller);
      return accountId === undefined ? [] : [{ arn: TopicArn, accountId, type: topicType }];
    },
    async handle({ Token, AuthenticateOnUnsubscribe }, call) {
      if (!isToken(Token)) throw new Refusal("InvalidParameterException", "Invalid token");
      const id = tokenId(Token);
      const token = await confirmationKind.get(call.records, confirmationScope, id);
      if (!token || token.expiresMs <= call.now) throw invalidParameter("Token");
      const signed = callerAccountId(call.caller) !== undefined;
      const authenticate = signed && AuthenticateOnUnsubscribe?.toLowerCase() === "true";
      return confirm(call, token, { signed, authenticate });
    },
  };
}

/** AWS: any topic's ARN of this region will do. */
function checkTopicArn(call: Call, text: string): void {
  const arn = parseArn(text);
  const here = call.caller.kind === "anonymous" || arn?.region === call.region;
  if (arn?.service === "sns" && here && /^\d{12}$/.test(arn.accountId)) return;
  throw invalidParameter("Topic");
}

async function confirm(
  call: Call,
  token: ConfirmationRecord,
  how: { readonly signed: boolean; readonly authenticate: boolean },
): Promise<Outcome<Output>> {
  const { subscriptionArn, restore } = token;
  const topic = await topicKind.get(call.records, token, token.topicName);
  const { id } = partsOfSubscription(subscriptionArn);
  const known = await subscriptionKind.get(call.records, token, id);
  const before = known ?? restore;
  if (!topic || !before) throw invalidParameter("Token");
  const output = { SubscriptionArn: subscriptionArn };
  // AWS: confirmed again, it answers the same.
  if (known && !known.pending) return { output };
  const { pending: _pending, pendingUntilMs: _until, ...kept } = before;
  const after = {
    ...kept,
    confirmedBySignature: how.signed,
    authenticateOnUnsubscribe: how.authenticate,
  };
  return { output, commands: await saveSubscription(call, topic, known, after) };
}
