import type { KeyMetadata } from "@aws-sdk/client-kms";
import type { Json } from "../../kernel/json.ts";
import { algorithmsOf } from "../../kernel/key-specs.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { multiRegionType } from "./conditions.ts";
import { findCurrentMaterial, keyArn } from "./keys.ts";
import type { KeyRecord } from "./store.ts";

/** A key as DescribeKey and CreateKey show it. */
export function keyMetadata(key: Readonly<KeyRecord>): Wire<KeyMetadata> {
  // The public types lag behind the specs: the old name has fewer values.
  const oldSpec = key.keySpec as NonNullable<KeyMetadata["CustomerMasterKeySpec"]>;
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: keyArn(key),
    CreationDate: key.createdMs,
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.state,
    ...(key.deletionMs !== undefined && { DeletionDate: key.deletionMs }),
    ...(key.deletionWindowDays !== undefined && {
      PendingDeletionWindowInDays: key.deletionWindowDays,
    }),
    Origin: key.origin,
    ...importFacts(key),
    KeyManager: key.manager,
    CustomerMasterKeySpec: oldSpec,
    KeySpec: key.keySpec,
    ...algorithmMembers(key),
    MultiRegion: key.multiRegion !== undefined,
    ...multiRegionFacts(key),
    ...materialFacts(key),
  };
}

/** AWS: only the list that fits the usage appears. */
export function algorithmMembers(
  key: Pick<KeyRecord, "keySpec" | "keyUsage">,
): Partial<Wire<KeyMetadata>> {
  const member = {
    ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    SIGN_VERIFY: "SigningAlgorithms",
    GENERATE_VERIFY_MAC: "MacAlgorithms",
    KEY_AGREEMENT: "KeyAgreementAlgorithms",
  } as const;
  return { [member[key.keyUsage]]: algorithmsOf(key.keySpec, key.keyUsage) };
}

function importFacts(key: Readonly<KeyRecord>): Partial<Wire<KeyMetadata>> {
  const material = findCurrentMaterial(key);
  if (key.origin !== "EXTERNAL" || material?.wrapped === undefined) return {};
  if (material.expiresMs === undefined) {
    return { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  }
  return { ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo: material.expiresMs };
}

function materialFacts(key: Readonly<KeyRecord>): Partial<Wire<KeyMetadata>> {
  const material = findCurrentMaterial(key);
  if (key.keySpec !== "SYMMETRIC_DEFAULT" || key.state === "PendingImport") return {};
  return material?.wrapped === undefined ? {} : { CurrentKeyMaterialId: material.materialId };
}

function multiRegionFacts(key: Readonly<KeyRecord>): Partial<Wire<KeyMetadata>> {
  if (key.multiRegion === undefined) return {};
  const { primaryRegion, replicaRegions } = key.multiRegion;
  const regional = (region: string) => ({ Arn: keyArn({ ...key, region }), Region: region });
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: multiRegionType(key),
      PrimaryKey: regional(primaryRegion),
      ReplicaKeys: replicaRegions.map(regional),
    },
  };
}

/** Metadata as audit records show it: lower-case names, dates as text. */
export function auditedMetadata(metadata: Wire<KeyMetadata>): Json {
  return audited(metadata);
}

function audited(value: object): Json {
  const members = Object.entries(value).map(([name, member]): [string, Json] => [
    name.charAt(0).toLowerCase() + name.slice(1),
    auditedMember(name, member),
  ]);
  return Object.fromEntries(members);
}

function auditedMember(name: string, member: unknown): Json {
  if (typeof member === "number" && /Date$|^ValidTo$/.test(name)) return auditDate(member);
  if (Array.isArray(member)) return member.map((entry) => auditedMember("", entry));
  if (typeof member === "object" && member !== null) return audited(member);
  return typeof member === "number" || typeof member === "boolean" ? member : String(member);
}

const auditDateForm = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  month: "short",
  day: "numeric",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
  hour12: true,
});

/** AWS: `Aug 10, 2022, 10:38:27 PM`, in UTC. */
export function auditDate(timeMs: number): string {
  // Newer ICU puts a narrow no-break space before PM.
  return auditDateForm.format(timeMs).replace(/\s/gu, " ");
}
