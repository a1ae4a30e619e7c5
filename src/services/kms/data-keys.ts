import type { GenerateDataKeyRequest } from "@aws-sdk/client-kms";
import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import type { FreshDataKey } from "../../kernel/keyvault.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { sealingRequest } from "./cipher.ts";
import { encryptionContextConditions, keyUse } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { currentMaterial } from "./keys.ts";
import { locateKey, requireKey } from "./locate.ts";
import { requireNoGrantTokens, stopAtDryRun, validation } from "./refusals.ts";
import { requireState } from "./states.ts";

/** Both operations that make data keys ask for them with these members. */
export type DataKeyRequest = Omit<Wire<GenerateDataKeyRequest>, "Recipient">;

export interface NewDataKey {
  readonly arn: string;
  readonly materialId: string;
  readonly dataKey: FreshDataKey;
}

export async function dataKeyResources(
  dependencies: KmsDependencies,
  input: DataKeyRequest,
  call: Call,
): Promise<readonly ResourceUse[]> {
  dataKeyLengthBytes(input);
  requireNoGrantTokens(input.GrantTokens);
  const conditions = encryptionContextConditions(input.EncryptionContext);
  return [keyUse(await locateKey(dependencies, call, input.KeyId), conditions)];
}

export async function newDataKey(
  dependencies: KmsDependencies,
  input: DataKeyRequest,
  call: Call,
): Promise<NewDataKey> {
  const { key, arn } = await requireKey(dependencies, call, input.KeyId);
  requireState(key, "use");
  stopAtDryRun(input.DryRun);
  const dataKey = await dependencies.vault.generateDataKey({
    ...sealingRequest(key, input.EncryptionContext),
    lengthBytes: dataKeyLengthBytes(input),
  });
  return { arn, materialId: currentMaterial(key).materialId, dataKey };
}

export function auditedDataKeyRequest(input: DataKeyRequest): Json {
  return {
    keyId: input.KeyId,
    ...(input.KeySpec !== undefined && { keySpec: input.KeySpec }),
    ...(input.NumberOfBytes !== undefined && { numberOfBytes: input.NumberOfBytes }),
    ...(input.EncryptionContext && { encryptionContext: input.EncryptionContext }),
  };
}

function dataKeyLengthBytes(input: DataKeyRequest): number {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw validation("Please specify either number of bytes or key spec.");
  }
  if (input.NumberOfBytes !== undefined) return input.NumberOfBytes;
  return input.KeySpec === "AES_128" ? 16 : 32;
}
