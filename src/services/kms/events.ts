import type { Json } from "../../kernel/json.ts";
import type { ServiceEvent } from "../../kernel/operation.ts";
import { keyResourceType } from "./conditions.ts";
import { currentMaterial, keyArn } from "./keys.ts";
import type { KeyRecord, MaterialRecord } from "./store.ts";

/** AWS: what KMS does by itself is recorded as done by `AWS Internal`, without parameters. */
export function keyEvent(
  key: Readonly<KeyRecord>,
  eventName: "DeleteKey" | "RotateKey" | "DeleteExpiredKeyMaterial",
  details: Readonly<Record<string, Json>> = {},
): ServiceEvent {
  return { ...about(key), eventName, serviceEventDetails: { keyId: key.keyId, ...details } };
}

/** AWS: a rotation, and that it reached the other keys of a multi-Region set. */
export function rotationEvents(
  before: Readonly<KeyRecord>,
  related: readonly Readonly<KeyRecord>[],
  { materialId, rotationType = "AUTOMATIC" }: Readonly<MaterialRecord>,
): readonly ServiceEvent[] {
  const rotated = keyEvent(before, "RotateKey", {
    rotationType,
    previousKeyMaterialId: currentMaterial(before).materialId,
    currentKeyMaterialId: materialId,
  });
  return [rotated, ...related.map(synchronized)];
}

/** AWS: a multi-Region key got from its primary what they share; typed as a call. */
export function synchronized(key: Readonly<KeyRecord>): ServiceEvent {
  return { ...about(key), eventName: "SynchronizeMultiRegionKey", eventType: "AwsApiCall" };
}

function about(key: Readonly<KeyRecord>) {
  const { accountId, region } = key;
  const resources = [{ accountId, type: keyResourceType, arn: keyArn(key) }];
  return { eventSource: "kms.amazonaws.com", accountId, region, resources } as const;
}
