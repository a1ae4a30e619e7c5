import { type Operation, operationTable, type ServiceTable } from "../../kernel/operation.ts";
import { lookupEventsOperation } from "./operations/lookup-events.ts";
import type { CloudtrailDependencies } from "./ports.ts";

/** CloudTrail's event history. Trails come later. */
export function createCloudtrail(deps: CloudtrailDependencies): ServiceTable {
  const operations = [lookupEventsOperation(deps)];
  return {
    name: "cloudtrail",
    eventSource: "cloudtrail.amazonaws.com",
    // Each takes the input that the wire decodes for its own name.
    operations: operationTable(operations as unknown as readonly Operation[]),
    accessDenied: {
      code: "AccessDeniedException",
      status: 400,
      printAction: (action) => action,
    },
  };
}
