import { keyArn } from "./keys.ts";
import { requirePrimary } from "./multi-region.ts";
import { refuse } from "./refusals.ts";
import type { KeyRecord, MaterialRecord } from "./store.ts";

/** AWS: by the present API text; ten were in force until 2025. */
export const onDemandRotationsMax = 25;
/** AWS: an automatic rotation this near is a conflict. */
export const conflictMs = 20 * 60_000;

/** Throws UnsupportedOperationException for a key that cannot rotate by itself. */
export function requireRotatable(key: Readonly<KeyRecord>): void {
  if (key.keySpec !== "SYMMETRIC_DEFAULT") {
    // AWS?: no recorded text for automatic rotation.
    throw refuse(
      "UnsupportedOperationException",
      `${keyArn(key)} key spec is ${key.keySpec} which is not valid for this operation.`,
    );
  }
  if (key.origin === "EXTERNAL") throw wrongOrigin(key);
  if (key.multiRegion !== undefined) requirePrimary(key);
}

export function wrongOrigin(key: Readonly<KeyRecord>) {
  return refuse(
    "UnsupportedOperationException",
    `${keyArn(key)} origin is ${key.origin} which is not valid for this operation.`,
  );
}

/** The materials after one that was pending became the one that encrypts. */
export function withPendingRotated(
  materials: readonly MaterialRecord[],
  nowMs: number,
): readonly MaterialRecord[] {
  return materials.map((material) => {
    if (material.pending !== true) return material;
    const { pending: _, ...rest } = material;
    return { ...rest, rotationType: "ON_DEMAND", rotatedMs: nowMs };
  });
}
