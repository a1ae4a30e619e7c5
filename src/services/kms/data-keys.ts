import type { GenerateDataKeyPairRequest, GenerateDataKeyRequest } from "@aws-sdk/client-kms";
import type { Call } from "../../kernel/call.ts";
import type { Json } from "../../kernel/json.ts";
import { isKeySpec, type KeySpec } from "../../kernel/key-specs.ts";
import type { FreshDataKey, FreshKeyPair } from "../../kernel/keyvault.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { sealingRequest } from "./cipher.ts";
import { encryptionContextConditions, keyUse } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import type { FoundKey } from "./found.ts";
import { requireGrantTokens } from "./grant-tokens.ts";
import { requireSymmetric } from "./key-specs.ts";
import { currentMaterial } from "./keys.ts";
import { locateKey, requireKey } from "./locate.ts";
import { notAvailable, stopAtDryRun, validation } from "./refusals.ts";
import { requireState } from "./states.ts";

/** Both operations that make data keys ask for them with these members. */
export type DataKeyRequest = Omit<Wire<GenerateDataKeyRequest>, "Recipient">;
export type DataKeyPairRequest = Omit<Wire<GenerateDataKeyPairRequest>, "Recipient">;
type AnyDataKeyRequest = Pick<
  DataKeyRequest,
  "KeyId" | "EncryptionContext" | "GrantTokens" | "DryRun"
>;

interface New {
  readonly arn: string;
  readonly materialId: string;
}

export interface NewDataKey extends New {
  readonly dataKey: FreshDataKey;
}

export interface NewKeyPair extends New {
  readonly pair: FreshKeyPair;
}

export function dataKeyResources(
  dependencies: KmsDependencies,
  input: DataKeyRequest,
  call: Call,
): Soon<readonly ResourceUse[]> {
  dataKeyLengthBytes(input);
  return resources(dependencies, input, call, {});
}

export function keyPairResources(
  dependencies: KmsDependencies,
  input: DataKeyPairRequest,
  call: Call,
): Soon<readonly ResourceUse[]> {
  const conditions = { "kms:datakeypairspec": input.KeyPairSpec };
  return resources(dependencies, input, call, conditions);
}

function resources(
  dependencies: KmsDependencies,
  input: AnyDataKeyRequest,
  call: Call,
  further: ConditionContext,
): Soon<readonly ResourceUse[]> {
  requireGrantTokens(dependencies, input.GrantTokens);
  const encryptionContext = input.EncryptionContext;
  const conditions = { ...encryptionContextConditions(encryptionContext), ...further };
  return soon(locateKey(dependencies, call, input.KeyId), (located) => [
    keyUse(located, conditions, { encryptionContext }),
  ]);
}

export async function newDataKey(
  dependencies: KmsDependencies,
  input: DataKeyRequest,
  call: Call,
): Promise<NewDataKey> {
  const { key, arn } = await usableKey(dependencies, input, call);
  const dataKey = await dependencies.vault.generateDataKey({
    ...sealingRequest(key, sealing(input)),
    lengthBytes: dataKeyLengthBytes(input),
  });
  return { arn, materialId: currentMaterial(key).materialId, dataKey };
}

export async function newKeyPair(
  dependencies: KmsDependencies,
  input: DataKeyPairRequest,
  call: Call,
  withPlaintext: boolean,
): Promise<NewKeyPair> {
  const pairSpec = requirePairSpec(input.KeyPairSpec);
  const { key, arn } = await usableKey(dependencies, input, call);
  const pair = await dependencies.vault.generateKeyPair({
    ...sealingRequest(key, sealing(input)),
    pairSpec,
    withPlaintext,
  });
  return { arn, materialId: currentMaterial(key).materialId, pair };
}

function usableKey(
  dependencies: KmsDependencies,
  input: AnyDataKeyRequest,
  call: Call,
): Soon<FoundKey> {
  return soon(requireKey(dependencies, call, input.KeyId), (found) => {
    requireSymmetric(found.key, call.operation);
    requireState(found.key, "use");
    stopAtDryRun(input.DryRun);
    return found;
  });
}

function sealing(input: AnyDataKeyRequest) {
  return { algorithm: "SYMMETRIC_DEFAULT", context: input.EncryptionContext };
}

export function auditedDataKeyRequest(input: DataKeyRequest): Json {
  return {
    keyId: input.KeyId,
    ...(input.KeySpec !== undefined && { keySpec: input.KeySpec }),
    ...(input.NumberOfBytes !== undefined && { numberOfBytes: input.NumberOfBytes }),
    ...(input.EncryptionContext && { encryptionContext: input.EncryptionContext }),
  };
}

export function auditedKeyPairRequest(input: DataKeyPairRequest): Json {
  return {
    keyId: input.KeyId,
    keyPairSpec: input.KeyPairSpec,
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

/** SM2 and ML-KEM are in AWS's list of pairs and not in ours. */
function requirePairSpec(spec: string): KeySpec {
  if (!isKeySpec(spec)) throw notAvailable(`KeyPairSpec ${spec}`);
  return spec;
}
