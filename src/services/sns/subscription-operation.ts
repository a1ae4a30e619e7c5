import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import type { Operation, Outcome } from "../../kernel/operation.ts";
import type { RecordEntry } from "../../kernel/records.ts";
import { subscriptionDoesNotExist } from "./errors.ts";
import {
  findSubscription,
  parseSubscriptionArn,
  type SubscriptionRecord,
  subscriptionUses,
} from "./subscriptions.ts";
import type { TopicRecord } from "./topics.ts";

/** An operation on one existing subscription. */
export interface SubscriptionOperation<I, O>
  extends Pick<Operation<I, O>, "name" | "access" | "audit"> {
  handle(
    input: I,
    call: Call,
    subscription: RecordEntry<SubscriptionRecord>,
    topic: TopicRecord,
  ): Promise<Outcome<O>> | Outcome<O>;
}

/** Fills in what both share: the ARN is checked, the subscription must exist. */
export function subscriptionOperation<I extends { readonly SubscriptionArn: string }, O>(
  operation: SubscriptionOperation<I, O>,
): Operation<I, O> {
  const { name, access, audit } = operation;
  const find = async ({ SubscriptionArn }: I, call: Call) => {
    const reference = parseSubscriptionArn(call, SubscriptionArn);
    return { reference, ...(await findSubscription(call, reference)) };
  };
  return {
    name,
    access,
    audit,
    async resources(input, call) {
      const { reference, ...found } = await find(input, call);
      const own = callerAccountId(call.caller) === reference.topic.scope.accountId;
      if (own && !found.entry) throw subscriptionDoesNotExist();
      return subscriptionUses(call, reference, found);
    },
    async handle(input, call) {
      const { topic, entry } = await find(input, call);
      if (!topic || !entry) throw subscriptionDoesNotExist();
      return operation.handle(input, call, entry, topic);
    },
  };
}
