import type {
  GenerateDataKeyPairWithoutPlaintextRequest,
  GenerateDataKeyPairWithoutPlaintextResponse,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedKeyPairRequest, keyPairResources, newKeyPair } from "../data-keys.ts";
import type { KmsDependencies } from "../dependencies.ts";

export function generateDataKeyPairWithoutPlaintext(
  dependencies: KmsDependencies,
): Operation<
  Wire<GenerateDataKeyPairWithoutPlaintextRequest>,
  Wire<GenerateDataKeyPairWithoutPlaintextResponse>
> {
  return {
    name: "GenerateDataKeyPairWithoutPlaintext",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: auditedKeyPairRequest,
    },
    resources: (input, call) => keyPairResources(dependencies, input, call),
    async handle(input, call) {
      const { arn, materialId, pair } = await newKeyPair(dependencies, input, call, false);
      return {
        output: {
          PrivateKeyCiphertextBlob: pair.blob,
          PublicKey: pair.publicKey,
          KeyId: arn,
          KeyPairSpec: input.KeyPairSpec,
          KeyMaterialId: materialId,
        },
        audit: { additionalEventData: { keyMaterialId: materialId } },
      };
    },
  };
}
