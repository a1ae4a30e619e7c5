import type { ReEncryptRequest, ReEncryptResponse } from "@aws-sdk/client-kms";
import type { Json } from "../../../kernel/json.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type BlobQuestion,
  locateBlobKey,
  openBlob,
  requireAlgorithm,
  requireBlobKey,
  sealingRequest,
} from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { currentMaterial } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { requireCiphertext, requireNoGrantTokens, stopAtDryRun } from "../refusals.ts";
import { requireState } from "../states.ts";

type Input = Wire<ReEncryptRequest>;

export function reEncrypt(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ReEncryptResponse>> {
  return {
    name: "ReEncrypt",
    access: "write",
    audit: { category: "management", readOnly: true, request: auditedRequest },
    async resources(input, call) {
      requireNoGrantTokens(input.GrantTokens);
      const source = await locateBlobKey(dependencies, call, question(input));
      const destination = await locateKey(dependencies, call, input.DestinationKeyId);
      const onSameKey = { "kms:reencryptonsamekey": source.arn === destination.arn };
      const from = {
        ...encryptionContextConditions(input.SourceEncryptionContext),
        "kms:encryptionalgorithm": input.SourceEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
        ...onSameKey,
      };
      const to = {
        ...encryptionContextConditions(input.DestinationEncryptionContext),
        "kms:encryptionalgorithm": input.DestinationEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
        ...onSameKey,
      };
      return [
        keyUse(source, from, "kms:ReEncryptFrom"),
        keyUse(destination, to, "kms:ReEncryptTo"),
      ];
    },
    async handle(input, call) {
      const source = await requireBlobKey(dependencies, call, question(input));
      const destination = await requireKey(dependencies, call, input.DestinationKeyId);
      requireAlgorithm(source.key, input.SourceEncryptionAlgorithm);
      requireAlgorithm(destination.key, input.DestinationEncryptionAlgorithm);
      requireState(source.key, "use");
      requireState(destination.key, "use");
      stopAtDryRun(input.DryRun);
      const { blob } = question(input);
      const context = input.SourceEncryptionContext;
      const opened = await openBlob(dependencies, source.key, blob, context);
      try {
        const sealed = await dependencies.vault.encrypt({
          ...sealingRequest(destination.key, input.DestinationEncryptionContext),
          plaintext: opened.plaintext,
        });
        return {
          output: {
            CiphertextBlob: Buffer.from(sealed),
            SourceKeyId: source.arn,
            KeyId: destination.arn,
            SourceEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
            DestinationEncryptionAlgorithm: "SYMMETRIC_DEFAULT",
            SourceKeyMaterialId: opened.materialId,
            DestinationKeyMaterialId: currentMaterial(destination.key).materialId,
          },
        };
      } finally {
        opened.plaintext.fill(0);
      }
    },
  };
}

function question(input: Input): BlobQuestion {
  const keyId = input.SourceKeyId;
  const blob = requireCiphertext({
    blob: input.CiphertextBlob,
    keyId,
    keyIdMember: "sourceKeyId",
    dryRun: input.DryRun,
    modifiers: input.DryRunModifiers,
  });
  return { blob, keyId, action: "kms:ReEncryptFrom" };
}

function auditedRequest(input: Input): Json {
  const source = input.SourceEncryptionContext;
  const destination = input.DestinationEncryptionContext;
  return {
    ...(source && { sourceEncryptionContext: source }),
    ...(input.SourceKeyId !== undefined && { sourceKeyId: input.SourceKeyId }),
    sourceEncryptionAlgorithm: input.SourceEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
    destinationKeyId: input.DestinationKeyId,
    ...(destination && { destinationEncryptionContext: destination }),
    destinationEncryptionAlgorithm: input.DestinationEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
  };
}
