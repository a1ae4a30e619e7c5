import type { GenerateMacRequest, GenerateMacResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { keyUseOf } from "../keys.ts";
import { macKey, macResources } from "../macs.ts";

export function generateMac(
  dependencies: KmsDependencies,
): Operation<Wire<GenerateMacRequest>, Wire<GenerateMacResponse>> {
  return {
    name: "GenerateMac",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: ["KeyId", "MacAlgorithm"],
    },
    resources: (input, call) => macResources(dependencies, input, call),
    async handle(input, call) {
      const { key, arn } = await macKey(dependencies, input, call);
      const mac = await dependencies.vault.mac({ ...keyUseOf(key), message: input.Message });
      return { output: { KeyId: arn, Mac: mac, MacAlgorithm: input.MacAlgorithm } };
    },
  };
}
