import type { StopLoggingRequest, StopLoggingResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { putTrail, trailOperation } from "../trail-operation.ts";

/** AWS: this call itself is the last that the trail delivers, and a last digest follows. */
export function stopLoggingOperation(
  deps: CloudtrailDependencies,
): Operation<Wire<StopLoggingRequest>, Wire<StopLoggingResponse>> {
  return trailOperation<Wire<StopLoggingRequest>, Wire<StopLoggingResponse>>({
    name: "StopLogging",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["Name"] },
    trail: ({ Name }) => Name,
    homeOnly: true,
    handle(_input, call, { identity, record }) {
      if (!record.logging) return { output: {} };
      const stopped = { ...record, logging: false, stoppedMs: call.now };
      return {
        output: {},
        commands: [putTrail(identity, stopped)],
        committed: deps.trailWork,
      };
    },
  });
}
