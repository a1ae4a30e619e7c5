import type { AddTagsRequest, AddTagsResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { readTags, withTags } from "../tags.ts";
import { putTrail, requireArn, trailOperation } from "../trail-operation.ts";

export function addTagsOperation(): Operation<Wire<AddTagsRequest>, Wire<AddTagsResponse>> {
  return trailOperation<Wire<AddTagsRequest>, Wire<AddTagsResponse>>({
    name: "AddTags",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["ResourceId", "TagsList"] },
    trail: ({ ResourceId }) => requireArn(ResourceId),
    homeOnly: true,
    handle({ TagsList }, _call, { identity, record }) {
      const tags = withTags(record.tags, readTags(TagsList));
      return { output: {}, commands: [putTrail(identity, { ...record, tags })] };
    },
  });
}
