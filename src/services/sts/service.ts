import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { StsDependencies } from "./dependencies.ts";
import { getAccessKeyInfo } from "./operations/get-access-key-info.ts";
import { getCallerIdentity } from "./operations/get-caller-identity.ts";

/** The security token service: who am I, and whose key is this. */
export function createSts(dependencies: StsDependencies): ServiceTable {
  const operations = [getCallerIdentity(), getAccessKeyInfo(dependencies)];
  return {
    name: "sts",
    eventSource: "sts.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}
