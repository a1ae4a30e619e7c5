import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import { lookupEventsOperation } from "./operations/lookup-events.ts";
import type { CloudtrailDependencies } from "./ports.ts";

/** CloudTrail's event history. Trails come later. */
export function createCloudtrail(deps: CloudtrailDependencies): ServiceTable {
  const operations = [lookupEventsOperation(deps)];
  return {
    name: "cloudtrail",
    eventSource: "cloudtrail.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: {
      code: "AccessDeniedException",
      status: 400,
      printAction: (action) => action,
    },
  };
}
