import type { ListTagsRequest, ListTagsResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { readTrail, trailArn } from "../names.ts";
import { refuse, unknownTrail } from "../refusals.ts";
import { presentTags } from "../tags.ts";
import { findTrail, requireArn } from "../trail-operation.ts";

type Input = Wire<ListTagsRequest>;
type Output = Wire<ListTagsResponse>;

/** AWS: resources of one call. */
const resourcesMax = 20;

export function listTagsOperation(): Operation<Input, Output> {
  return {
    name: "ListTags",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["ResourceIdList", "NextToken"] },
    resources({ ResourceIdList, NextToken }, call) {
      if (ResourceIdList.length < 1 || ResourceIdList.length > resourcesMax) {
        // AWS?: the code and the text.
        throw refuse("InvalidParameterException", `Name 1 to ${resourcesMax} resources.`);
      }
      if (NextToken !== undefined) {
        throw refuse("InvalidTokenException", "Invalid or expired next token.");
      }
      return ResourceIdList.map((text) => {
        const reference = readTrail(requireArn(text), call);
        const { accountId } = reference;
        return { arn: trailArn(reference), accountId, type: "AWS::CloudTrail::Trail" };
      });
    },
    async handle({ ResourceIdList }, call) {
      const list = ResourceIdList.map(async (text) => {
        const found = await findTrail(call, readTrail(text, call));
        if (!found) throw unknownTrail(text, call.accountId);
        return { ResourceId: found.arn, TagsList: presentTags(found.record.tags) };
      });
      return { output: { ResourceTagList: await Promise.all(list) } };
    },
  };
}
