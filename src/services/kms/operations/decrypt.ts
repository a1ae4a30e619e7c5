import type { DecryptRequest, DecryptResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import { soon } from "../../../kernel/soon.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type BlobQuestion,
  locateBlobKey,
  openingRequest,
  requireBlobKey,
  requireCipher,
} from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import {
  invalidCiphertext,
  requireCiphertext,
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
        encryptionAlgorithm: algorithmOf(input),
      }),
    },
    resources(input, call) {
      requireNoRecipient(input.Recipient);
      requireGrantTokens(dependencies, input.GrantTokens);
      const encryptionContext = input.EncryptionContext;
      const conditions = {
        ...encryptionContextConditions(encryptionContext),
        "kms:encryptionalgorithm": algorithmOf(input),
      };
      return soon(locateBlobKey(dependencies, call, blobQuestion(input)), (located) => {
        const use = keyUse(located, conditions, { encryptionContext });
        return [allowTopicSession(use, encryptionContext, call)];
      });
    },
    async handle(input, call) {
      const { blob, ...asked } = blobQuestion(input);
      const { key, arn } = await requireBlobKey(dependencies, call, { blob, ...asked });
      const algorithm = algorithmOf(input);
      const question = { algorithm, context: input.EncryptionContext };
      requireCipher(key, "Decrypt", question);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const { request, materialId } = openingRequest(dependencies, key, blob, question);
      const plaintext = await dependencies.vault.decrypt({ ...request, blob });
      if (!plaintext) throw invalidCiphertext();
      return {
        output: {
          KeyId: arn,
          Plaintext: plaintext,
          EncryptionAlgorithm: algorithm,
          ...(materialId && { KeyMaterialId: materialId }),
        },
        ...(materialId && { audit: { additionalEventData: { keyMaterialId: materialId } } }),
      };
    },
  };
}

function algorithmOf(input: Input) {
  return input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
}

function blobQuestion(input: Input): BlobQuestion {
  const { CiphertextBlob: blob, KeyId: keyId, DryRun: dryRun, DryRunModifiers: modifiers } = input;
  return {
    blob: requireCiphertext({ blob, keyId, keyIdMember: "keyId", dryRun, modifiers }),
    keyId,
    action: "kms:Decrypt",
  };
}
