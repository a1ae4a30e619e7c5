import type {
  PutEventSelectorsRequest,
  PutEventSelectorsResponse,
} from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { refuse } from "../refusals.ts";
import { presentSelectors, readAdvanced, readBasic } from "../selector-input.ts";
import type { Selectors } from "../selectors.ts";
import { putTrail, trailOperation } from "../trail-operation.ts";

type Input = Wire<PutEventSelectorsRequest>;
type Output = Wire<PutEventSelectorsResponse>;

/** AWS: one kind of selectors takes the place of the other. */
export function putEventSelectorsOperation(): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "PutEventSelectors",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["TrailName", "EventSelectors", "AdvancedEventSelectors"],
      response: ["TrailARN", "EventSelectors", "AdvancedEventSelectors"],
    },
    trail: ({ TrailName }) => TrailName,
    homeOnly: true,
    handle(input, _call, { identity, arn, record }) {
      const selectors = readSelectors(input);
      return {
        output: { TrailARN: arn, ...presentSelectors(selectors) },
        commands: [putTrail(identity, { ...record, selectors })],
      };
    },
  });
}

function readSelectors({ EventSelectors, AdvancedEventSelectors }: Input): Selectors {
  if (EventSelectors !== undefined && AdvancedEventSelectors !== undefined) {
    // AWS?: the text.
    throw refuse(
      "InvalidEventSelectorsException",
      "Give either EventSelectors or AdvancedEventSelectors.",
    );
  }
  return AdvancedEventSelectors === undefined
    ? readBasic(EventSelectors ?? [])
    : readAdvanced(AdvancedEventSelectors);
}
