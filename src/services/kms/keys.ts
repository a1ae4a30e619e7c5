import { formatArn } from "../../kernel/arn.ts";
import type { Command } from "../../kernel/command.ts";
import { assert, Fault } from "../../kernel/errors.ts";
import type { KeySpec } from "../../kernel/key-specs.ts";
import type { KeyIdentity, KeyUse, WrappedMaterial } from "../../kernel/keyvault.ts";
import type { KmsDependencies } from "./dependencies.ts";
import { notAvailable } from "./refusals.ts";
import {
  type DueRecord,
  dueId,
  dueWork,
  installationScope,
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

/** What the clock owes a key next. A disabled key does not rotate; it catches up once enabled. */
export function dueOf(key: Readonly<KeyRecord>): DueRecord | undefined {
  const { accountId, region, keyId } = key;
  const tasks: DueRecord[] = [];
  const owe = (task: DueRecord["task"], atMs: number | undefined) => {
    if (atMs !== undefined) tasks.push({ task, atMs, accountId, region, keyId });
  };
  assert(
    (key.state === "PendingDeletion") === (key.deletionMs !== undefined),
    "a key pending deletion has a date, and no other",
  );
  owe("delete", key.deletionMs);
  owe("settle", key.settleMs);
  for (const material of key.materials) {
    if (material.wrapped !== undefined) owe("expire", material.expiresMs);
  }
  if (key.state === "Enabled") owe("rotate", key.rotation?.nextMs);
  // The first of those at the same time is done first; the rest is owed after it.
  return tasks.toSorted((left, right) => left.atMs - right.atMs)[0];
}

/** The changes that make something true, what is due for it included. */
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
    commands.push(dueWork.remove(installationScope, dueId(oldDue)));
  }
  if (newDue) commands.push(dueWork.put(installationScope, dueId(newDue), newDue));
  return {
    commands,
    committed: () => {
      if (newDue) dependencies.keyWorkDue(newDue.atMs);
    },
  };
}

/** Several changes as one. */
export function joinChanges(changes: readonly KeyChange[]): KeyChange {
  return {
    commands: changes.flatMap(({ commands }) => commands),
    committed: () => {
      for (const { committed } of changes) committed();
    },
  };
}

/** Material as the vault takes it. Base64 is undone once for each record read. */
export function wrappedMaterial(material: Readonly<MaterialRecord>): WrappedMaterial {
  let wrapped = unwrappedForms.get(material);
  if (wrapped === undefined) {
    assert(
      material.wrapped !== undefined,
      "the state of a key tells whether its material is there",
    );
    wrapped = {
      materialId: material.materialId,
      wrapped: Buffer.from(material.wrapped, "base64"),
      ...(material.publicKey !== undefined && {
        publicKey: Buffer.from(material.publicKey, "base64"),
      }),
    };
    unwrappedForms.set(material, wrapped);
  }
  return wrapped;
}

const unwrappedForms = new WeakMap<object, WrappedMaterial>();

/** The material that encrypts. Only a key that waits for its import has none. */
export function currentMaterial(key: Readonly<KeyRecord>): Readonly<MaterialRecord> {
  const material = findCurrentMaterial(key);
  assert(material !== undefined, "a key has material");
  return material;
}

export function findCurrentMaterial(
  key: Readonly<KeyRecord>,
): Readonly<MaterialRecord> | undefined {
  return key.materials.findLast(({ pending }) => pending !== true);
}

export function identityOf(key: Readonly<KeyRecord>): KeyIdentity {
  return { accountId: key.accountId, keyId: key.keyId };
}

/** The present material of a key pair or MAC key, for the vault. */
export function keyUseOf(key: Readonly<KeyRecord>): KeyUse {
  const material = wrappedMaterial(currentMaterial(key));
  return { ...identityOf(key), material, keySpec: key.keySpec };
}

/** Throws UnsupportedOperationException where the runtime cannot make such a key. */
export async function newMaterial(
  dependencies: Pick<KmsDependencies, "vault">,
  identity: KeyIdentity,
  nowMs: number,
  options: { keySpec?: KeySpec; rotationType?: "AUTOMATIC" | "ON_DEMAND" } = {},
): Promise<MaterialRecord> {
  const { keySpec, rotationType } = options;
  try {
    const asked = { ...identity, ...(keySpec && { keySpec }) };
    const made = await dependencies.vault.createMaterial(asked);
    return { ...materialRecord(made, nowMs), ...(rotationType && { rotationType }) };
  } catch (error) {
    if (error instanceof Fault && error.kind === "key-spec-unsupported") {
      throw notAvailable(`KeySpec ${keySpec}`);
    }
    throw error;
  }
}

export function materialRecord(made: WrappedMaterial, nowMs: number): MaterialRecord {
  return {
    materialId: made.materialId,
    wrapped: Buffer.from(made.wrapped).toString("base64"),
    ...(made.publicKey && { publicKey: Buffer.from(made.publicKey).toString("base64") }),
    createdMs: nowMs,
  };
}
