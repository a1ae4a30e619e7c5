import type { ListTopicsInput, ListTopicsResponse } from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { pageOf, pageRange } from "../paging.ts";
import { accountUses, callScope, topicKind } from "../topics.ts";

/** AWS: ListTopics, 100 a page. */
export function listTopicsOperation(): Operation<Wire<ListTopicsInput>, Wire<ListTopicsResponse>> {
  return {
    name: "ListTopics",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["NextToken"] },
    resources: (_input, call) => accountUses(call),
    async handle(input, call) {
      const range = pageRange(input.NextToken);
      const topics = await topicKind.list(call.records, callScope(call), range);
      const { page, NextToken } = pageOf(topics);
      return { output: { Topics: page.map(({ value }) => ({ TopicArn: value.arn })), NextToken } };
    },
  };
}
