import type {
  ListKeyRotationsRequest,
  ListKeyRotationsResponse,
  RotationsListEntry,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { findCurrentMaterial } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { relatedKeys } from "../multi-region.ts";
import { pageOf, pageOutput, pageRequest } from "../paging.ts";
import { refuse } from "../refusals.ts";
import type { KeyRecord, MaterialRecord } from "../store.ts";

export function listKeyRotations(
  dependencies: KmsDependencies,
): Operation<Wire<ListKeyRotationsRequest>, Wire<ListKeyRotationsResponse>> {
  return {
    name: "ListKeyRotations",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["KeyId", "IncludeKeyMaterial", "Limit", "Marker"],
    },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      // AWS?: no recorded text.
      if (key.keySpec !== "SYMMETRIC_DEFAULT") throw refuse("UnsupportedOperationException", "");
      const request = pageRequest("ListKeyRotations", input, { default: 100, max: 1000 });
      const all = input.IncludeKeyMaterial === "ALL_KEY_MATERIAL";
      const related = await relatedKeys(call.records, key);
      // Materials have no order in their names: a marker counts them.
      const numbered = key.materials
        .filter((material) => all || material.rotationType !== undefined)
        .map((material, index) => ({ material, id: String(index).padStart(6, "0") }))
        .filter(({ id }) => id > request.afterId);
      const page = pageOf("ListKeyRotations", request, numbered, ({ id }) => id);
      const shown = page.entries.map(({ material }) => rotationEntry(key, related, material));
      return { output: { Rotations: shown, ...pageOutput(page) } };
    },
  };
}

function rotationEntry(
  key: Readonly<KeyRecord>,
  related: readonly Readonly<KeyRecord>[],
  material: Readonly<MaterialRecord>,
): Wire<RotationsListEntry> {
  const { rotationType, expiresMs, description } = material;
  return {
    KeyId: key.keyId,
    KeyMaterialId: material.materialId,
    KeyMaterialState: materialState(key, related, material),
    ...(description !== undefined && { KeyMaterialDescription: description }),
    ...(key.origin === "EXTERNAL" && importFacts(material, expiresMs)),
    ...(rotationType !== undefined && {
      RotationDate: material.rotatedMs ?? material.createdMs,
      RotationType: rotationType,
    }),
  };
}

function importFacts(
  { wrapped }: Readonly<MaterialRecord>,
  expiresMs: number | undefined,
): Partial<Wire<RotationsListEntry>> {
  if (wrapped === undefined) return { ImportState: "PENDING_IMPORT" };
  if (expiresMs === undefined) {
    return { ImportState: "IMPORTED", ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  }
  const ExpirationModel = "KEY_MATERIAL_EXPIRES";
  return { ImportState: "IMPORTED", ExpirationModel, ValidTo: expiresMs };
}

function materialState(
  key: Readonly<KeyRecord>,
  related: readonly Readonly<KeyRecord>[],
  material: Readonly<MaterialRecord>,
): NonNullable<RotationsListEntry["KeyMaterialState"]> {
  if (material.pending !== true) {
    return material === findCurrentMaterial(key) ? "CURRENT" : "NON_CURRENT";
  }
  const isThere = ({ materials }: Readonly<KeyRecord>) =>
    materials.some(
      ({ materialId, wrapped }) => materialId === material.materialId && wrapped !== undefined,
    );
  const everywhere = [key, ...related].every(isThere);
  return everywhere ? "PENDING_ROTATION" : "PENDING_MULTI_REGION_IMPORT_AND_ROTATION";
}
