import type { GetPublicKeyRequest, GetPublicKeyResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { keyType } from "../key-specs.ts";
import { currentMaterial } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { algorithmMembers } from "../metadata.ts";
import { refuse } from "../refusals.ts";
import { requireState } from "../states.ts";

export function getPublicKey(
  dependencies: KmsDependencies,
): Operation<Wire<GetPublicKeyRequest>, Wire<GetPublicKeyResponse>> {
  return {
    name: "GetPublicKey",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId"] },
    async resources(input, call) {
      requireGrantTokens(dependencies, input.GrantTokens);
      return [keyUse(await locateKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key, arn } = await requireKey(dependencies, call, input.KeyId);
      if (keyType(key.keySpec) !== "asymmetric") {
        // AWS?: code and text.
        throw refuse(
          "UnsupportedOperationException",
          `${arn} key spec is ${key.keySpec} which is not valid for GetPublicKey.`,
        );
      }
      requireState(key, "use");
      const keySpec = key.keySpec as NonNullable<GetPublicKeyResponse["CustomerMasterKeySpec"]>;
      return {
        output: {
          KeyId: arn,
          PublicKey: Buffer.from(currentMaterial(key).publicKey ?? "", "base64"),
          CustomerMasterKeySpec: keySpec,
          KeySpec: keySpec,
          KeyUsage: key.keyUsage,
          ...algorithmMembers(key),
        },
      };
    },
  };
}
