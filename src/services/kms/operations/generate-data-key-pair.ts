import type { GenerateDataKeyPairRequest, GenerateDataKeyPairResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedKeyPairRequest, keyPairResources, newKeyPair } from "../data-keys.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireNoRecipient } from "../refusals.ts";

export function generateDataKeyPair(
  dependencies: KmsDependencies,
): Operation<Wire<GenerateDataKeyPairRequest>, Wire<GenerateDataKeyPairResponse>> {
  return {
    name: "GenerateDataKeyPair",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: auditedKeyPairRequest,
    },
    resources(input, call) {
      requireNoRecipient(input.Recipient);
      return keyPairResources(dependencies, input, call);
    },
    async handle(input, call) {
      const { arn, materialId, pair } = await newKeyPair(dependencies, input, call, true);
      return {
        output: {
          PrivateKeyCiphertextBlob: pair.blob,
          ...(pair.plaintext && { PrivateKeyPlaintext: pair.plaintext }),
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
