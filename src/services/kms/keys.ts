import { formatArn } from "../../kernel/arn.ts";
import type { Command } from "../../kernel/command.ts";
import { assert } from "../../kernel/errors.ts";
import type { KeyIdentity, WrappedMaterial } from "../../kernel/keyvault.ts";
import type { KmsDependencies } from "./dependencies.ts";
import {
  type DueRecord,
  dueId,
  dueScope,
  dueWork,
  type KeyRecord,
  keys,
  type MaterialRecord,
} from "./store.ts";

export const dayMs = 86_400_000;

export function keyArn(key: { region: string; accountId: string; keyId: string }): string {
  return formatArn("kms", key.region, key.accountId, `key/${key.keyId}`);
}

export function aliasArn(scope: { region: string; accountId: string }, name: string): string {
  return formatArn("kms", scope.region, scope.accountId, name);
}

/** What the clock owes a key now. A disabled key does not rotate; it catches up once enabled. */
export function dueOf(key: Readonly<KeyRecord>): DueRecord | undefined {
  const { accountId, region, keyId } = key;
  if (key.state === "PendingDeletion") {
    assert(key.deletionMs !== undefined, "a key pending deletion has a date");
    return { task: "delete", atMs: key.deletionMs, accountId, region, keyId };
  }
  if (key.state !== "Enabled" || key.rotation === undefined) return undefined;
  return { task: "rotate", atMs: key.rotation.nextMs, accountId, region, keyId };
}

/** The changes that make `after` true, what is due for it included. */
export interface KeyChange {
  readonly commands: readonly Command[];
  readonly committed: () => void;
}

/** `before`: the record as it was read; undefined for a new key. */
export function saveKey(
  dependencies: Pick<KmsDependencies, "keyWorkDue">,
  before: Readonly<KeyRecord> | undefined,
  after: KeyRecord,
): KeyChange {
  const oldDue = before && dueOf(before);
  const newDue = dueOf(after);
  const commands: Command[] = [keys.put(after, after.keyId, after)];
  if (oldDue && (!newDue || dueId(oldDue) !== dueId(newDue))) {
    commands.push(dueWork.remove(dueScope, dueId(oldDue)));
  }
  if (newDue) commands.push(dueWork.put(dueScope, dueId(newDue), newDue));
  return {
    commands,
    committed: () => {
      if (newDue) dependencies.keyWorkDue(newDue.atMs);
    },
  };
}

/** Material as the vault takes it. Base64 is undone once for each record read. */
export function wrappedMaterial(material: Readonly<MaterialRecord>): WrappedMaterial {
  let wrapped = unwrappedForms.get(material);
  if (wrapped === undefined) {
    wrapped = {
      materialId: material.materialId,
      wrapped: Buffer.from(material.wrapped, "base64"),
    };
    unwrappedForms.set(material, wrapped);
  }
  return wrapped;
}

const unwrappedForms = new WeakMap<object, WrappedMaterial>();

/** The material that encrypts. */
export function currentMaterial(key: Readonly<KeyRecord>): Readonly<MaterialRecord> {
  const material = key.materials.at(-1);
  assert(material !== undefined, "a key has material");
  return material;
}

export function identityOf(key: Readonly<KeyRecord>): KeyIdentity {
  return { accountId: key.accountId, keyId: key.keyId };
}

export async function newMaterial(
  dependencies: Pick<KmsDependencies, "vault">,
  identity: KeyIdentity,
  nowMs: number,
  rotationType?: MaterialRecord["rotationType"],
): Promise<MaterialRecord> {
  const { materialId, wrapped } = await dependencies.vault.createMaterial(identity);
  return {
    materialId,
    wrapped: Buffer.from(wrapped).toString("base64"),
    createdMs: nowMs,
    ...(rotationType && { rotationType }),
  };
}
