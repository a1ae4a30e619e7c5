import type { RoleRecord } from "../services/iam/store.ts";
import { isObject, readStatements, textsOf } from "./statements.ts";

/**
 * Whether a role's trust policy names a service. Conditions are not looked at: for which source the
 * service will assume the role is not known here.
 */
export function roleTrusts(role: Readonly<RoleRecord>, service: string): boolean {
  if (role.linkedService === service) return true;
  const statements = readStatements(role.trust)?.statements ?? [];
  return statements.some(({ Effect, Principal }) => {
    if (Effect !== "Allow" || !isObject(Principal)) return false;
    return textsOf(Principal.Service).includes(service);
  });
}
