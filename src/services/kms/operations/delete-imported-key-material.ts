import type {
  DeleteImportedKeyMaterialRequest,
  DeleteImportedKeyMaterialResponse,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireExternal, withoutMaterial } from "../imports.ts";
import { findCurrentMaterial, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { notFound } from "../refusals.ts";
import { requireState } from "../states.ts";
import { keys } from "../store.ts";

export function deleteImportedKeyMaterial(
  dependencies: KmsDependencies,
): Operation<Wire<DeleteImportedKeyMaterialRequest>, Wire<DeleteImportedKeyMaterialResponse>> {
  return {
    name: "DeleteImportedKeyMaterial",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["KeyId", "KeyMaterialId"],
      response: ["KeyId", "KeyMaterialId"],
    },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      requireExternal(key);
      requireState(key, "deleteMaterial");
      const materialId = input.KeyMaterialId ?? findCurrentMaterial(key)?.materialId;
      const material = key.materials.find((entry) => entry.materialId === materialId);
      if (input.KeyMaterialId !== undefined && !material) {
        // AWS?: code and text.
        throw notFound(`Key material ${input.KeyMaterialId} does not exist in ${arn}`);
      }
      const output = { KeyId: arn, ...(materialId !== undefined && { KeyMaterialId: materialId }) };
      // AWS: what is not there any more can be deleted again, without effect.
      if (material?.wrapped === undefined || materialId === undefined) return { output };
      const change = saveKey(dependencies, key, withoutMaterial(key, materialId));
      return {
        output,
        // Removed before it is written again: a store leaves no remains of what is removed.
        commands: [keys.remove(key, key.keyId), ...change.commands],
        committed: () => {
          change.committed();
          void dependencies.vault.forget(materialId).catch(() => {
            // A key process that is gone has forgotten everything.
          });
          return dependencies.keyMaterialGone(arn);
        },
      };
    },
  };
}
