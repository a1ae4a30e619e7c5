import type {
  GetEventSelectorsRequest,
  GetEventSelectorsResponse,
} from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { presentSelectors } from "../selector-input.ts";
import { defaultSelectors } from "../selectors.ts";
import { trailOperation } from "../trail-operation.ts";

type Input = Wire<GetEventSelectorsRequest>;
type Output = Wire<GetEventSelectorsResponse>;

export function getEventSelectorsOperation(): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "GetEventSelectors",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["TrailName"] },
    trail: ({ TrailName }) => TrailName,
    homeOnly: false,
    handle: (_input, _call, { arn, record }) => ({
      output: { TrailARN: arn, ...presentSelectors(record.selectors ?? defaultSelectors) },
    }),
  });
}
