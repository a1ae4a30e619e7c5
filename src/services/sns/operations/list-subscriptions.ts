import type { ListSubscriptionsInput, ListSubscriptionsResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOf, pageRange } from "../paging.ts";
import { describeSubscription, ownedSubscriptionKind } from "../subscriptions.ts";
import { accountUses, callScope } from "../topics.ts";

/** AWS: ListSubscriptions, those of the caller's account on topics of any account, 100 a page. */
export function listSubscriptionsOperation(): Operation<
  Wire<ListSubscriptionsInput>,
  Wire<ListSubscriptionsResponse>
> {
  return {
    name: "ListSubscriptions",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["NextToken"] },
    resources: (_input, call) => accountUses(call),
    async handle(input, call) {
      const range = pageRange(input.NextToken);
      const owned = await ownedSubscriptionKind.list(call.records, callScope(call), range);
      const { page, NextToken } = pageOf(owned);
      const Subscriptions = page.map(({ value }) => describeSubscription(value));
      return { output: { Subscriptions, NextToken } };
    },
  };
}
