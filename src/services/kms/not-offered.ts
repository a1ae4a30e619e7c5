import type { AnyOperation } from "../../kernel/operation.ts";
import { noKeyUse } from "./conditions.ts";
import { notAvailable } from "./refusals.ts";

/**
 * Operations of AWS that this server does not offer, each with what stands behind it. They answer
 * so that a client is told why, and only after its right to ask was looked at.
 */
const reasons: Readonly<Record<string, string>> = {
  ConnectCustomKeyStore: "A custom key store",
  CreateCustomKeyStore: "A custom key store",
  DeleteCustomKeyStore: "A custom key store",
  DescribeCustomKeyStores: "A custom key store",
  DisconnectCustomKeyStore: "A custom key store",
  UpdateCustomKeyStore: "A custom key store",
  Encapsulate: "ML-KEM",
  Decapsulate: "ML-KEM",
};

export function notOffered(): readonly AnyOperation[] {
  return Object.entries(reasons).map(([name, reason]) => ({
    name,
    access: /^Describe/.test(name) ? "list" : "write",
    audit: { category: "management", readOnly: /^Describe|capsulate$/.test(name) },
    resources: (_input, call) => [noKeyUse(call)],
    handle() {
      throw notAvailable(reason);
    },
  }));
}
