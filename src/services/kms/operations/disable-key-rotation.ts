import type { DisableKeyRotationRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireRotatable } from "../rotation.ts";
import { requireState } from "../states.ts";

export function disableKeyRotation(
  dependencies: KmsDependencies,
): Operation<Wire<DisableKeyRotationRequest>, object> {
  return {
    name: "DisableKeyRotation",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireRotatable(key);
      requireState(key, "rotationSetting");
      if (key.rotation === undefined) return { output: {} };
      const { rotation: _, ...rest } = key;
      return { output: {}, ...saveKey(dependencies, key, rest) };
    },
  };
}
