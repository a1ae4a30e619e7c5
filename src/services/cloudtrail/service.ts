import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import { addTagsOperation } from "./operations/add-tags.ts";
import { createTrailOperation } from "./operations/create-trail.ts";
import { deleteTrailOperation } from "./operations/delete-trail.ts";
import { describeTrailsOperation } from "./operations/describe-trails.ts";
import { getEventSelectorsOperation } from "./operations/get-event-selectors.ts";
import { getInsightSelectorsOperation } from "./operations/get-insight-selectors.ts";
import { getTrailOperation } from "./operations/get-trail.ts";
import { getTrailStatusOperation } from "./operations/get-trail-status.ts";
import { listPublicKeysOperation } from "./operations/list-public-keys.ts";
import { listTagsOperation } from "./operations/list-tags.ts";
import { listTrailsOperation } from "./operations/list-trails.ts";
import { lookupEventsOperation } from "./operations/lookup-events.ts";
import { putEventSelectorsOperation } from "./operations/put-event-selectors.ts";
import { removeTagsOperation } from "./operations/remove-tags.ts";
import { startLoggingOperation } from "./operations/start-logging.ts";
import { stopLoggingOperation } from "./operations/stop-logging.ts";
import { updateTrailOperation } from "./operations/update-trail.ts";
import type { CloudtrailDependencies } from "./ports.ts";

/** CloudTrail: the event history, and trails that deliver it as files. */
export function createCloudtrail(deps: CloudtrailDependencies): ServiceTable {
  const operations = [
    lookupEventsOperation(deps),
    createTrailOperation(deps),
    updateTrailOperation(deps),
    deleteTrailOperation(deps),
    getTrailOperation(),
    describeTrailsOperation(),
    listTrailsOperation(),
    startLoggingOperation(deps),
    stopLoggingOperation(deps),
    getTrailStatusOperation(),
    putEventSelectorsOperation(),
    getEventSelectorsOperation(),
    getInsightSelectorsOperation(),
    addTagsOperation(),
    removeTagsOperation(),
    listTagsOperation(),
    listPublicKeysOperation(),
  ];
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
