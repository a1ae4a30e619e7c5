import type { EncryptRequest, EncryptResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireAlgorithm, sealingRequest } from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { currentMaterial } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { requireNoGrantTokens, stopAtDryRun } from "../refusals.ts";
import { requireState } from "../states.ts";

export function encrypt(
  dependencies: KmsDependencies,
): Operation<Wire<EncryptRequest>, Wire<EncryptResponse>> {
  return {
    name: "Encrypt",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      request: (input) => ({
        keyId: input.KeyId,
        ...(input.EncryptionContext && { encryptionContext: input.EncryptionContext }),
        encryptionAlgorithm: input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
      }),
    },
    async resources(input, call) {
      requireNoGrantTokens(input.GrantTokens);
      const conditions = {
        ...encryptionContextConditions(input.EncryptionContext),
        "kms:encryptionalgorithm": input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
      };
      return [keyUse(await locateKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key, arn } = await requireKey(dependencies, call, input.KeyId);
      requireAlgorithm(key, input.EncryptionAlgorithm);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const blob = await dependencies.vault.encrypt({
        ...sealingRequest(key, input.EncryptionContext),
        plaintext: input.Plaintext,
      });
      return {
        output: {
          CiphertextBlob: Buffer.from(blob),
          KeyId: arn,
          EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
        },
        audit: { additionalEventData: { keyMaterialId: currentMaterial(key).materialId } },
      };
    },
  };
}
