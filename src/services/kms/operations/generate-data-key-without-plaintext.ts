import type {
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { auditedDataKeyRequest, dataKeyResources, newDataKey } from "../data-keys.ts";
import type { KmsDependencies } from "../dependencies.ts";

export function generateDataKeyWithoutPlaintext(
  dependencies: KmsDependencies,
): Operation<
  Wire<GenerateDataKeyWithoutPlaintextRequest>,
  Wire<GenerateDataKeyWithoutPlaintextResponse>
> {
  return {
    name: "GenerateDataKeyWithoutPlaintext",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: auditedDataKeyRequest,
    },
    resources: (input, call) => dataKeyResources(dependencies, input, call),
    async handle(input, call) {
      const { arn, materialId, dataKey } = await newDataKey(dependencies, input, call);
      dataKey.plaintext.fill(0);
      return {
        output: {
          CiphertextBlob: dataKey.blob,
          KeyId: arn,
          KeyMaterialId: materialId,
        },
        audit: { additionalEventData: { keyMaterialId: materialId } },
      };
    },
  };
}
