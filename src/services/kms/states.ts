import { keyArn } from "./keys.ts";
import { refuse } from "./refusals.ts";
import type { KeyRecord, KeyState } from "./store.ts";

/**
 * Rows of AWS's table of key states, by groups of operations with like answers. What is not named
 * in a row is allowed. Operations that work in every state ask nothing.
 */
const rows = {
  /** Cryptography, CreateGrant, ReplicateKey. */
  use: ["disabled", "pending deletion", "pending import", "creating"],
  /** EnableKey, DisableKey. */
  toggle: ["pending deletion", "pending import", "creating", "updating"],
  /** CreateAlias, UpdateAlias, tags, description. */
  change: ["pending deletion"],
  rotationSetting: ["disabled", "pending deletion", "creating"],
  rotateOnDemand: ["disabled", "pending deletion", "pending import", "creating", "updating"],
  scheduleDeletion: ["pending deletion", "updating"],
  getImportParameters: ["pending deletion", "creating", "updating"],
  importMaterial: ["pending deletion", "creating"],
  deleteMaterial: ["creating", "updating"],
  replicate: ["disabled", "pending deletion", "pending import", "creating", "updating"],
  updatePrimary: ["disabled", "pending deletion", "pending import", "creating"],
} as const satisfies Readonly<Record<string, readonly Obstacle[]>>;

export type StateRule = keyof typeof rows;
type Obstacle = "disabled" | "pending deletion" | "pending import" | "creating" | "updating";

const obstacles: Readonly<Record<KeyState, Obstacle | undefined>> = {
  Enabled: undefined,
  Disabled: "disabled",
  PendingDeletion: "pending deletion",
  PendingReplicaDeletion: "pending deletion",
  PendingImport: "pending import",
  Creating: "creating",
  Updating: "updating",
};

/** Throws DisabledException or KMSInvalidStateException where the key's state forbids it. */
export function requireState(key: Readonly<KeyRecord>, rule: StateRule): void {
  const obstacle = obstacles[key.state];
  const row: readonly Obstacle[] = rows[rule];
  if (obstacle === undefined || !row.includes(obstacle)) return;
  const code = obstacle === "disabled" ? "DisabledException" : "KMSInvalidStateException";
  throw refuse(code, `${keyArn(key)} is ${obstacle}.`);
}

/** CancelKeyDeletion is the one operation that needs the state. */
export function requirePendingDeletion(key: Readonly<KeyRecord>): void {
  if (key.state === "PendingDeletion" || key.state === "PendingReplicaDeletion") return;
  throw refuse("KMSInvalidStateException", `${keyArn(key)} is not pending deletion.`);
}
