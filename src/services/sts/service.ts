import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { StsDependencies } from "./dependencies.ts";
import { assumeRole } from "./operations/assume-role.ts";
import { assumeRoleWithWebIdentity } from "./operations/assume-role-with-web-identity.ts";
import { decodeAuthorizationMessage } from "./operations/decode-authorization-message.ts";
import { getAccessKeyInfo } from "./operations/get-access-key-info.ts";
import { getCallerIdentity } from "./operations/get-caller-identity.ts";
import { getFederationToken } from "./operations/get-federation-token.ts";
import { getSessionToken } from "./operations/get-session-token.ts";

/** The security token service: temporary credentials, and who somebody is. */
export function createSts(dependencies: StsDependencies): ServiceTable {
  const operations = [
    getCallerIdentity(),
    getAccessKeyInfo(dependencies),
    assumeRole(dependencies),
    assumeRoleWithWebIdentity(dependencies),
    getSessionToken(dependencies),
    getFederationToken(dependencies),
    decodeAuthorizationMessage(dependencies),
  ];
  return {
    name: "sts",
    eventSource: "sts.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}
