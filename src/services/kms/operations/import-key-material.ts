import type { ImportKeyMaterialRequest, ImportKeyMaterialResponse } from "@aws-sdk/client-kms";
import type { ConditionContext, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { importRefused, requestedExpiry, requireExternal, withImported } from "../imports.ts";
import { identityOf, joinChanges, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { isPrimary, saveMaterials } from "../multi-region.ts";
import { requireState } from "../states.ts";
import type { KeyRecord } from "../store.ts";

type Input = Wire<ImportKeyMaterialRequest>;

export function importKeyMaterial(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ImportKeyMaterialResponse>> {
  return {
    name: "ImportKeyMaterial",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["KeyId", "ExpirationModel", "ValidTo", "ImportType", "KeyMaterialDescription"],
      response: ["KeyId", "KeyMaterialId"],
    },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditionsOf(input))];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      requireExternal(key);
      requireState(key, "importMaterial");
      requestedExpiry(input, call.now);
      const imported = await dependencies.vault.importMaterial({
        ...identityOf(key),
        region: key.region,
        keySpec: key.keySpec,
        token: input.ImportToken,
        encryptedMaterial: input.EncryptedKeyMaterial,
        nowMs: call.now,
      });
      if (imported.outcome !== "imported") throw importRefused(imported);
      const after = withImported(key, imported, input, call.now);
      const others = await announce(key, after);
      const change = joinChanges([saveKey(dependencies, key, after), ...others]);
      const output = { KeyId: arn, KeyMaterialId: imported.materialId };
      return { ...change, output };

      /** Replicas learn the name of new material, so that the same can be imported there. */
      async function announce(before: Readonly<KeyRecord>, now: KeyRecord) {
        const isNew = now.materials.length > before.materials.length;
        const made = now.materials.at(-1);
        if (!isNew || !made || !isPrimary(now)) return [];
        const { wrapped: _, expiresMs: __, ...name } = made;
        return saveMaterials(dependencies, call.records, now, (held) => [...held, name]);
      }
    },
  };
}

/** AWS: a test for the absence of kms:ExpirationModel sees what the request left out. */
function conditionsOf({ ExpirationModel: model, ValidTo: validTo }: Input): ConditionContext {
  return {
    ...(model !== undefined && { "kms:expirationmodel": model }),
    ...(validTo !== undefined && { "kms:validto": new Date(validTo).toISOString() }),
  };
}
