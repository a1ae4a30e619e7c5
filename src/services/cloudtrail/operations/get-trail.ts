import type { GetTrailRequest, GetTrailResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { describeTrail } from "../describe.ts";
import { trailOperation } from "../trail-operation.ts";

export function getTrailOperation(): Operation<Wire<GetTrailRequest>, Wire<GetTrailResponse>> {
  return trailOperation<Wire<GetTrailRequest>, Wire<GetTrailResponse>>({
    name: "GetTrail",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["Name"] },
    trail: ({ Name }) => Name,
    homeOnly: false,
    handle: (_input, _call, trail) => ({ output: { Trail: describeTrail(trail) } }),
  });
}
