import type { ListTrailsRequest, ListTrailsResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { trailRecords } from "../records.ts";
import { refuse } from "../refusals.ts";
import { everyTrail, foundTrail, scope } from "../trail-operation.ts";

type Input = Wire<ListTrailsRequest>;
type Output = Wire<ListTrailsResponse>;

/** AWS: trails of all regions. */
export function listTrailsOperation(): Operation<Input, Output> {
  return {
    name: "ListTrails",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["NextToken"] },
    resources: (_input, call) => everyTrail(call),
    async handle({ NextToken }, call) {
      // AWS: five trails in each of few regions; one page holds them, so no token is ever given.
      if (NextToken !== undefined) {
        throw refuse("InvalidNextTokenException", "Invalid or expired next token.");
      }
      const all = await trailRecords.list(call.records, scope(call.accountId));
      const trails = all.map(({ value }) => ({
        TrailARN: foundTrail(call.accountId, value).arn,
        Name: value.name,
        HomeRegion: value.homeRegion,
      }));
      return { output: { Trails: trails } };
    },
  };
}
