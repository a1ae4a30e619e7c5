import type { EncryptRequest, EncryptResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import { soon } from "../../../kernel/soon.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type CipherQuestion,
  requireCipher,
  requirePlaintextFits,
  sealingRequest,
  shownMaterialId,
} from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { locateKey, requireKey } from "../locate.ts";
import { stopAtDryRun } from "../refusals.ts";
import { requireState } from "../states.ts";

type Input = Wire<EncryptRequest>;

export function encrypt(dependencies: KmsDependencies): Operation<Input, Wire<EncryptResponse>> {
  return {
    name: "Encrypt",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: (input) => ({
        keyId: input.KeyId,
        ...(input.EncryptionContext && { encryptionContext: input.EncryptionContext }),
        encryptionAlgorithm: algorithmOf(input),
      }),
    },
    resources(input, call) {
      requireGrantTokens(dependencies, input.GrantTokens);
      const encryptionContext = input.EncryptionContext;
      const conditions = {
        ...encryptionContextConditions(encryptionContext),
        "kms:encryptionalgorithm": algorithmOf(input),
      };
      return soon(locateKey(dependencies, call, input.KeyId), (located) => [
        keyUse(located, conditions, { encryptionContext }),
      ]);
    },
    async handle(input, call) {
      const { key, arn } = await requireKey(dependencies, call, input.KeyId);
      const { Plaintext: plaintext } = input;
      const algorithm = algorithmOf(input);
      const question: CipherQuestion = { algorithm, context: input.EncryptionContext };
      requireCipher(key, "Encrypt", question);
      requirePlaintextFits(key, algorithm, plaintext);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const request = sealingRequest(key, question);
      const blob = await dependencies.vault.encrypt({ ...request, plaintext });
      const keyMaterialId = shownMaterialId(key);
      return {
        output: {
          CiphertextBlob: blob,
          KeyId: arn,
          EncryptionAlgorithm: algorithm,
        },
        ...(keyMaterialId && { audit: { additionalEventData: { keyMaterialId } } }),
      };
    },
  };
}

function algorithmOf(input: Input) {
  return input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
}
