import type { RemoveTagsRequest, RemoveTagsResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { withoutTags } from "../tags.ts";
import { putTrail, requireArn, trailOperation } from "../trail-operation.ts";

type Input = Wire<RemoveTagsRequest>;
type Output = Wire<RemoveTagsResponse>;

export function removeTagsOperation(): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "RemoveTags",
    access: "tagging",
    audit: { category: "management", readOnly: false, request: ["ResourceId", "TagsList"] },
    trail: ({ ResourceId }) => requireArn(ResourceId),
    homeOnly: true,
    handle({ TagsList }, _call, { identity, record }) {
      const tags = withoutTags(record.tags, TagsList);
      return { output: {}, commands: [putTrail(identity, { ...record, tags })] };
    },
  });
}
