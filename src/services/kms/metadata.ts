import type { KeyMetadata } from "@aws-sdk/client-kms";
import type { Json } from "../../kernel/json.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { currentMaterial, keyArn } from "./keys.ts";
import type { KeyRecord } from "./store.ts";

/** A key as DescribeKey and CreateKey show it. */
export function keyMetadata(key: Readonly<KeyRecord>): Wire<KeyMetadata> {
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
    Origin: key.origin,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    MultiRegion: false,
    CurrentKeyMaterialId: currentMaterial(key).materialId,
  };
}

/** The answer of CreateKey as its audit record shows it: lower-case names, dates as text. */
export function auditedMetadata(metadata: Wire<KeyMetadata>): Json {
  const members: [string, Json][] = [];
  for (const [name, value] of Object.entries(metadata)) {
    const auditName = name.charAt(0).toLowerCase() + name.slice(1);
    if (typeof value === "number" && name.endsWith("Date")) {
      members.push([auditName, auditDate(value)]);
    } else if (typeof value === "string" || typeof value === "boolean") {
      members.push([auditName, value]);
    } else if (Array.isArray(value)) {
      members.push([auditName, value.map(String)]);
    }
  }
  return Object.fromEntries(members);
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
