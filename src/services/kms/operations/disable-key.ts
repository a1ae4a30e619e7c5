import type { DisableKeyRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";

export function disableKey(
  dependencies: KmsDependencies,
): Operation<Wire<DisableKeyRequest>, object> {
  return {
    name: "DisableKey",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "toggle");
      if (key.state === "Disabled") return { output: {} };
      return { output: {}, ...saveKey(dependencies, key, { ...key, state: "Disabled" }) };
    },
  };
}
