import type {
  GetInsightSelectorsRequest,
  GetInsightSelectorsResponse,
} from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { notOffered, refuse } from "../refusals.ts";
import { trailOperation } from "../trail-operation.ts";

type Input = Wire<GetInsightSelectorsRequest>;
type Output = Wire<GetInsightSelectorsResponse>;

/**
 * AWS: refused where a trail looks for no unusual activity, as no trail does here. Tools that
 * describe a trail (Terraform) ask, and go on at this answer.
 */
export function getInsightSelectorsOperation(): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "GetInsightSelectors",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["TrailName"] },
    trail: trailNamed,
    homeOnly: false,
    handle(_input, _call, { arn }) {
      throw refuse(
        "InsightNotEnabledException",
        `Trail name ${arn} does not have Insights enabled. Edit the trail settings to enable ` +
          "Insights, and then try the operation again.",
      );
    },
  });
}

function trailNamed({ TrailName, EventDataStore }: Input): string {
  if (EventDataStore !== undefined) {
    throw notOffered("UnsupportedOperationException", "CloudTrail Lake (EventDataStore)");
  }
  if (TrailName !== undefined) return TrailName;
  // AWS?: the text.
  throw refuse("InvalidParameterCombinationException", "Give TrailName or EventDataStore.");
}
