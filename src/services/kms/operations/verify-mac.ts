import type { VerifyMacRequest, VerifyMacResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { keyUseOf } from "../keys.ts";
import { macKey, macResources } from "../macs.ts";
import { refuse } from "../refusals.ts";

export function verifyMac(
  dependencies: KmsDependencies,
): Operation<Wire<VerifyMacRequest>, Wire<VerifyMacResponse>> {
  return {
    name: "VerifyMac",
    access: "write",
    audit: { category: "management", readOnly: true, request: ["KeyId", "MacAlgorithm"] },
    resources: (input, call) => macResources(dependencies, input, call),
    async handle(input, call) {
      const { key, arn } = await macKey(dependencies, input, call);
      const { Message: message, Mac: mac } = input;
      const holds = await dependencies.vault.verifyMac({ ...keyUseOf(key), message, mac });
      // AWS: no message, never `false`.
      if (!holds) throw refuse("KMSInvalidMacException", "");
      return { output: { KeyId: arn, MacValid: true, MacAlgorithm: input.MacAlgorithm } };
    },
  };
}
