import type { StartLoggingRequest, StartLoggingResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { putTrail, trailOperation } from "../trail-operation.ts";

export function startLoggingOperation(
  deps: CloudtrailDependencies,
): Operation<Wire<StartLoggingRequest>, Wire<StartLoggingResponse>> {
  return trailOperation<Wire<StartLoggingRequest>, Wire<StartLoggingResponse>>({
    name: "StartLogging",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["Name"] },
    trail: ({ Name }) => Name,
    homeOnly: true,
    handle(_input, call, { identity, record }) {
      if (record.logging) return { output: {} };
      const started = { ...record, logging: true, startedMs: call.now };
      return {
        output: {},
        commands: [putTrail(identity, started)],
        committed: deps.trailWork,
      };
    },
  });
}
