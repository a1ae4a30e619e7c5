import type { Auditor } from "../src/audit/auditor.ts";

/** What a server without an audit would cost; see `without-audit.ts`. */
export function createAuditor(): Auditor {
  return {
    record: async () => undefined,
    serviceEvent: async () => ({ kind: "audit.append", events: [] }),
  };
}
