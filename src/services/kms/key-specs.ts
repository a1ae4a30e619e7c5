import type { CreateKeyRequest } from "@aws-sdk/client-kms";
import { algorithmsOf, isKeySpec, type KeySpec, type KeyUsage } from "../../kernel/key-specs.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { keyArn } from "./keys.ts";
import { notAvailable, refuse, validation } from "./refusals.ts";
import type { KeyRecord } from "./store.ts";

/** What kind of key a CreateKey asks for. */
export interface KeyKind {
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyRecord["origin"];
}

/**
 * Reads what kind of key a CreateKey asks for, defaults filled in.
 *
 * Throws ValidationException for what AWS refuses too, UnsupportedOperationException for what AWS
 * has and this server has not.
 */
export function requestedKind(input: Wire<CreateKeyRequest>): KeyKind {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage: usage = "ENCRYPT_DECRYPT" } = input;
  if (KeySpec && CustomerMasterKeySpec && KeySpec !== CustomerMasterKeySpec) {
    // AWS?: no recorded text.
    throw validation("You cannot specify different values for KeySpec and CustomerMasterKeySpec.");
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  if (spec !== "SYMMETRIC_DEFAULT" && input.KeyUsage === undefined) {
    throw validation(
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
  }
  // SM2 belongs to AWS's China Regions; ML-KEM keys are not offered.
  if (!isKeySpec(spec)) throw notAvailable(`KeySpec ${spec}`);
  if (algorithmsOf(spec, usage).length === 0) {
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  const { Origin: origin = "AWS_KMS" } = input;
  if (origin !== "AWS_KMS" && origin !== "EXTERNAL") throw notAvailable(`Origin ${origin}`);
  if (input.CustomKeyStoreId !== undefined) throw notAvailable("CustomKeyStoreId");
  if (input.XksKeyId !== undefined) throw notAvailable("XksKeyId");
  // What has algorithms is one of the four usages.
  return { keySpec: spec, keyUsage: usage as KeyUsage, origin };
}

/** AWS: the type of a key, which the aliases that move to it must share. */
export function keyType(spec: KeySpec): "symmetric" | "hmac" | "asymmetric" {
  if (spec === "SYMMETRIC_DEFAULT") return "symmetric";
  return spec.startsWith("HMAC_") ? "hmac" : "asymmetric";
}

/** Throws InvalidKeyUsageException if the key is of another usage. */
export function requireUsage(key: Readonly<KeyRecord>, usage: KeyUsage, operation: string): void {
  if (key.keyUsage === usage) return;
  throw wrongUsage(key, operation);
}

/** Throws InvalidKeyUsageException for a key that makes no data keys. */
export function requireSymmetric(key: Readonly<KeyRecord>, operation: string): void {
  if (key.keySpec !== "SYMMETRIC_DEFAULT") throw wrongUsage(key, operation);
}

/** Throws InvalidKeyUsageException for an algorithm that the key does not have. */
export function requireAlgorithm(key: Readonly<KeyRecord>, algorithm: string): void {
  if (algorithmsOf(key.keySpec, key.keyUsage).includes(algorithm)) return;
  throw refuse(
    "InvalidKeyUsageException",
    `Algorithm ${algorithm} is incompatible with key spec ${key.keySpec}.`,
  );
}

function wrongUsage(key: Readonly<KeyRecord>, operation: string) {
  return refuse(
    "InvalidKeyUsageException",
    `${keyArn(key)} key usage is ${key.keyUsage} which is not valid for ${operation}.`,
  );
}
