import type { ReEncryptRequest, ReEncryptResponse } from "@aws-sdk/client-kms";
import type { Json } from "../../../kernel/json.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  type BlobQuestion,
  type CipherQuestion,
  locateBlobKey,
  openingRequest,
  plaintextTooLong,
  requireBlobKey,
  requireCipher,
  sealingRequest,
  shownMaterialId,
} from "../cipher.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import type { FoundKey } from "../found.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { locateKey, requireKey } from "../locate.ts";
import { invalidCiphertext, requireCiphertext, stopAtDryRun } from "../refusals.ts";
import { requireState } from "../states.ts";

type Input = Wire<ReEncryptRequest>;

export function reEncrypt(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ReEncryptResponse>> {
  return {
    name: "ReEncrypt",
    access: "write",
    audit: { category: "management", readOnly: true, secret: true, request: auditedRequest },
    async resources(input, call) {
      requireGrantTokens(dependencies, input.GrantTokens);
      const source = await locateBlobKey(dependencies, call, question(input));
      const destination = await locateKey(dependencies, call, input.DestinationKeyId);
      const sameKey = source.arn === destination.arn;
      return [
        sideUse(source, sourceOf(input), sameKey, "kms:ReEncryptFrom"),
        sideUse(destination, destinationOf(input), sameKey, "kms:ReEncryptTo"),
      ];
    },
    async handle(input, call) {
      const { source, destination } = await usableKeys(dependencies, input, call);
      const { blob } = question(input);
      const opening = openingRequest(dependencies, source.key, blob, sourceOf(input));
      const sealing = sealingRequest(destination.key, destinationOf(input));
      const sealed = await dependencies.vault.reEncrypt({ ...opening.request, blob }, sealing);
      if (sealed === "unopened") throw invalidCiphertext();
      if (sealed === "too-long") {
        throw plaintextTooLong(destination.key, destinationOf(input).algorithm);
      }
      const destinationMaterialId = shownMaterialId(destination.key);
      return {
        output: {
          CiphertextBlob: sealed,
          SourceKeyId: source.arn,
          KeyId: destination.arn,
          SourceEncryptionAlgorithm: input.SourceEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
          DestinationEncryptionAlgorithm:
            input.DestinationEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT",
          ...(opening.materialId && { SourceKeyMaterialId: opening.materialId }),
          ...(destinationMaterialId && { DestinationKeyMaterialId: destinationMaterialId }),
        },
      };
    },
  };
}

async function usableKeys(
  dependencies: KmsDependencies,
  input: Input,
  call: Parameters<typeof requireKey>[1],
): Promise<{ source: FoundKey; destination: FoundKey }> {
  const source = await requireBlobKey(dependencies, call, question(input));
  const destination = await requireKey(dependencies, call, input.DestinationKeyId);
  requireCipher(source.key, "ReEncrypt", sourceOf(input));
  requireCipher(destination.key, "ReEncrypt", destinationOf(input));
  requireState(source.key, "use");
  requireState(destination.key, "use");
  stopAtDryRun(input.DryRun);
  return { source, destination };
}

function sideUse(
  located: Parameters<typeof keyUse>[0],
  { algorithm, context }: CipherQuestion,
  sameKey: boolean,
  action: string,
) {
  const conditions = {
    ...encryptionContextConditions(context),
    "kms:encryptionalgorithm": algorithm,
    "kms:reencryptonsamekey": sameKey,
  };
  return keyUse(located, conditions, { action, encryptionContext: context });
}

function sourceOf(input: Input): CipherQuestion {
  const { SourceEncryptionAlgorithm: algorithm = "SYMMETRIC_DEFAULT" } = input;
  return { algorithm, context: input.SourceEncryptionContext };
}

function destinationOf(input: Input): CipherQuestion {
  const { DestinationEncryptionAlgorithm: algorithm = "SYMMETRIC_DEFAULT" } = input;
  return { algorithm, context: input.DestinationEncryptionContext };
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
