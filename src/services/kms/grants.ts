import { hash } from "node:crypto";
import type { GrantConstraints } from "@aws-sdk/client-kms";
import type { Call } from "../../kernel/call.ts";
import type { Caller } from "../../kernel/caller.ts";
import type { GrantFacts } from "../../kernel/operation.ts";
import type { RecordEntry } from "../../kernel/records.ts";
import type { Soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { validation } from "./refusals.ts";
import { type GrantRecord, grants, type KeyRecord } from "./store.ts";

const digestChars = 16;
const constraintPairsMax = 8;
const constraintValueCharsMax = 384;
/** AWS: of one key. */
export const grantsPerKeyMax = 50_000;

/** What a CreateGrant asks for, as far as it widens or narrows. */
export type GrantScope = Pick<
  GrantRecord,
  "operations" | "encryptionContextEquals" | "encryptionContextSubset"
>;

/** A grant id begins with it, so that a decision reads the grants of its caller only. */
export function principalDigest(arn: string): string {
  return hash("sha256", arn, "hex").slice(0, digestChars);
}

export function newGrantId(granteePrincipal: string, random: { bytes(n: number): Buffer }): string {
  return principalDigest(granteePrincipal) + random.bytes(24).toString("hex");
}

export function isGrantId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

export function grantRecordId(keyId: string, grantId: string): string {
  return `${keyId}|${grantId}`;
}

/** The grants on a key that a decision about the caller may need. */
export async function grantsFor(
  call: Call,
  key: Readonly<KeyRecord>,
): Promise<readonly GrantFacts[]> {
  const found: GrantFacts[] = [];
  for (const name of granteeNames(call.caller)) {
    for (const { value } of await grantsOf(call, key, name)) found.push(value);
  }
  return found;
}

/** Grants of one grantee on a key, or all of the key's. */
export function grantsOf(
  call: Pick<Call, "records">,
  key: Readonly<KeyRecord>,
  granteePrincipal?: string,
): Soon<readonly RecordEntry<GrantRecord>[]> {
  const digest = granteePrincipal === undefined ? "" : principalDigest(granteePrincipal);
  return grants.list(call.records, key, { idPrefix: grantRecordId(key.keyId, digest) });
}

/** Every ARN by which a grant could mean this caller; the policy engine has the last word. */
function granteeNames(caller: Caller): readonly string[] {
  if (caller.kind === "service" || caller.kind === "anonymous") return [];
  const names = new Set([caller.arn, `arn:aws:iam::${caller.accountId}:root`]);
  if ("roleArn" in caller) names.add(caller.roleArn);
  return [...names];
}

const common = ["CreateGrant", "RetireGrant", "DescribeKey"];

/** Operations that a grant on this kind of key may name. */
function operationsFor({ keySpec, keyUsage }: Readonly<KeyRecord>): readonly string[] {
  switch (keyUsage) {
    case "GENERATE_VERIFY_MAC":
      return [...common, "GenerateMac", "VerifyMac"];
    case "SIGN_VERIFY":
      return [...common, "Sign", "Verify", "GetPublicKey"];
    case "KEY_AGREEMENT":
      return [...common, "DeriveSharedSecret", "GetPublicKey"];
    case "ENCRYPT_DECRYPT": {
      const cipher = [...common, "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"];
      if (keySpec !== "SYMMETRIC_DEFAULT") return [...cipher, "GetPublicKey"];
      const dataKeys = ["GenerateDataKey", "GenerateDataKeyPair"];
      return [...cipher, ...dataKeys, ...dataKeys.map((name) => `${name}WithoutPlaintext`)];
    }
  }
}

/** Throws ValidationException for operations that the key does not have. AWS?: text. */
export function requireGrantOperations(
  key: Readonly<KeyRecord>,
  operations: readonly string[],
): void {
  if (operations.length === 0) {
    throw validation(
      "1 validation error detected: Value at 'operations' failed to satisfy constraint: " +
        "Member must have length greater than or equal to 1",
    );
  }
  const possible = operationsFor(key);
  const wrong = operations.find((name) => !possible.includes(name));
  if (wrong !== undefined) {
    throw validation(
      `Grant operation ${wrong} is not valid for a key with KeySpec ${key.keySpec} and ` +
        `KeyUsage ${key.keyUsage}.`,
    );
  }
}

/** Reads constraints. Throws ValidationException for what AWS bounds. AWS?: texts. */
export function requestedConstraints(
  key: Readonly<KeyRecord>,
  constraints: Wire<GrantConstraints> | undefined,
): Pick<GrantScope, "encryptionContextEquals" | "encryptionContextSubset"> {
  const equals = constraints?.EncryptionContextEquals;
  const subset = constraints?.EncryptionContextSubset;
  for (const context of [equals, subset]) {
    if (context === undefined) continue;
    if (key.keySpec !== "SYMMETRIC_DEFAULT") {
      throw validation("Grant constraints are for symmetric encryption keys only.");
    }
    if (Object.keys(context).length > constraintPairsMax) {
      throw validation(`A grant constraint can have up to ${constraintPairsMax} pairs.`);
    }
    const long = Object.values(context).some((value) => value.length > constraintValueCharsMax);
    if (long) {
      throw validation(
        `A value of a grant constraint can have up to ${constraintValueCharsMax} characters.`,
      );
    }
  }
  return {
    ...(equals && { encryptionContextEquals: { ...equals } }),
    ...(subset && { encryptionContextSubset: { ...subset } }),
  };
}

/** Whether a child gives nothing that its parent does not give. */
export function narrows(parent: GrantScope, child: GrantScope): boolean {
  if (!child.operations.every((name) => parent.operations.includes(name))) return false;
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = parent;
  if (equals && !samePairs(equals, child.encryptionContextEquals)) return false;
  if (!subset) return true;
  return (
    holdsPairs(child.encryptionContextEquals, subset) ||
    holdsPairs(child.encryptionContextSubset, subset)
  );
}

type Pairs = Readonly<Record<string, string>>;

function holdsPairs(pairs: Pairs | undefined, wanted: Pairs): boolean {
  if (pairs === undefined) return false;
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(pairs, name) && pairs[name] === value,
  );
}

export function samePairs(left: Pairs | undefined, right: Pairs | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Object.keys(left).length === Object.keys(right).length && holdsPairs(left, right);
}
