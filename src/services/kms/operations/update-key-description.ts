import type { UpdateKeyDescriptionRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";

export function updateKeyDescription(
  dependencies: KmsDependencies,
): Operation<Wire<UpdateKeyDescriptionRequest>, object> {
  return {
    name: "UpdateKeyDescription",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["KeyId", "Description"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireState(key, "change");
      const described = { ...key, description: input.Description };
      return { output: {}, ...saveKey(dependencies, key, described) };
    },
  };
}
