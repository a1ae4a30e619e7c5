import type { DecryptRequest, DecryptResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type BlobQuestion,
  locateBlobKey,
  openBlob,
  requireAlgorithm,
  requireBlobKey,
} from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import {
  requireCiphertext,
  requireNoGrantTokens,
  requireNoRecipient,
  stopAtDryRun,
} from "../refusals.ts";
import { requireState } from "../states.ts";
import { allowTopicSession } from "../topic-session.ts";

type Input = Wire<DecryptRequest>;

export function decrypt(dependencies: KmsDependencies): Operation<Input, Wire<DecryptResponse>> {
  return {
    name: "Decrypt",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: (input) => ({
        ...(input.EncryptionContext && { encryptionContext: input.EncryptionContext }),
        ...(input.KeyId !== undefined && { keyId: input.KeyId }),
        encryptionAlgorithm: input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
      }),
    },
    async resources(input, call) {
      requireNoRecipient(input.Recipient);
      requireNoGrantTokens(input.GrantTokens);
      const conditions = {
        ...encryptionContextConditions(input.EncryptionContext),
        "kms:encryptionalgorithm": input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
      };
      const use = keyUse(await locateBlobKey(dependencies, call, question(input)), conditions);
      return [allowTopicSession(use, input.EncryptionContext, call)];
    },
    async handle(input, call) {
      const { key, arn } = await requireBlobKey(dependencies, call, question(input));
      requireAlgorithm(key, input.EncryptionAlgorithm);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const { blob } = question(input);
      const opened = await openBlob(dependencies, key, blob, input.EncryptionContext);
      return {
        output: {
          KeyId: arn,
          Plaintext: opened.plaintext,
          EncryptionAlgorithm: "SYMMETRIC_DEFAULT",
          KeyMaterialId: opened.materialId,
        },
        audit: { additionalEventData: { keyMaterialId: opened.materialId } },
      };
    },
  };
}

function question(input: Input): BlobQuestion {
  const { CiphertextBlob: blob, KeyId: keyId, DryRun: dryRun, DryRunModifiers: modifiers } = input;
  return {
    blob: requireCiphertext({ blob, keyId, keyIdMember: "keyId", dryRun, modifiers }),
    keyId,
    action: "kms:Decrypt",
  };
}
