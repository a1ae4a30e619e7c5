/** Preloaded by `bench/audit.ts`: the server's auditor is exchanged for one that records nothing. */
import { registerHooks } from "node:module";

const none = new URL("no-auditor.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    return resolved.url.endsWith("/src/audit/auditor.ts") ? { ...resolved, url: none } : resolved;
  },
});
