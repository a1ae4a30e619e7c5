import type { GenerateDataKeyRequest, GenerateDataKeyResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedDataKeyRequest, dataKeyResources, newDataKey } from "../data-keys.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireNoRecipient } from "../refusals.ts";

export function generateDataKey(
  dependencies: KmsDependencies,
): Operation<Wire<GenerateDataKeyRequest>, Wire<GenerateDataKeyResponse>> {
  return {
    name: "GenerateDataKey",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: auditedDataKeyRequest,
    },
    resources(input, call) {
      requireNoRecipient(input.Recipient);
      return dataKeyResources(dependencies, input, call);
    },
    async handle(input, call) {
      const { arn, materialId, dataKey } = await newDataKey(dependencies, input, call);
      return {
        output: {
          CiphertextBlob: dataKey.blob,
          Plaintext: dataKey.plaintext,
          KeyId: arn,
          KeyMaterialId: materialId,
        },
        audit: { additionalEventData: { keyMaterialId: materialId } },
      };
    },
  };
}
