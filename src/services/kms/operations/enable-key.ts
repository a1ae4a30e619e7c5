import type { EnableKeyRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";

export function enableKey(
  dependencies: KmsDependencies,
): Operation<Wire<EnableKeyRequest>, object> {
  return {
    name: "EnableKey",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "toggle");
      if (key.state === "Enabled") return { output: {} };
      return { output: {}, ...saveKey(dependencies, key, { ...key, state: "Enabled" }) };
    },
  };
}
