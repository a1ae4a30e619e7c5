import { openImport, openImportToken, sealImportToken } from "../crypto/import.ts";
import { checkMaterial, generateMaterial, importedMaterialId } from "../crypto/key-material.ts";
import type { ImportRefusal } from "../kernel/keyvault.ts";
import type { Random } from "../kernel/random.ts";
import { specField } from "./key-operations.ts";
import type { Lanes } from "./lanes.ts";
import type { Materials } from "./materials.ts";
import { type Field, field, textField } from "./protocol.ts";

/** A fresh wrapping key: its public half, and the token that remembers the private one. */
export async function importParameters(
  materials: Materials,
  random: Random,
  lanes: Lanes,
  fields: readonly Buffer[],
): Promise<readonly Field[]> {
  const request = {
    accountId: textField(fields, 0),
    keyId: textField(fields, 1),
    region: textField(fields, 2),
    wrappingSpec: specField(fields, 3),
    wrappingAlgorithm: textField(fields, 4),
    validToMs: Number(textField(fields, 5)),
  };
  const pair = await lanes.run(() => generateMaterial(request.wrappingSpec, random));
  try {
    return [pair.publicKey ?? "", sealImportToken(materials.ring, request, pair.material, random)];
  } finally {
    pair.material.fill(0);
  }
}

/** Material id, wrapped, public key; or one field that says why not. */
export function importMaterial(materials: Materials, fields: readonly Buffer[]): readonly Field[] {
  const identity = { accountId: textField(fields, 0), keyId: textField(fields, 1) };
  const spec = specField(fields, 3);
  const refuse = (outcome: ImportRefusal["outcome"]): readonly Field[] => [outcome];
  const token = openImportToken(materials.ring, identity, textField(fields, 2), field(fields, 4));
  if (token === undefined) return refuse("token-invalid");
  try {
    if (Number(textField(fields, 6)) > token.validToMs) return refuse("token-expired");
    const opened = openImport(token, field(fields, 5));
    if (opened === undefined) return refuse("undecryptable");
    const checked = checkMaterial(spec, opened);
    opened.fill(0);
    if (checked === undefined) return refuse("wrong-material");
    const materialId = importedMaterialId(identity, checked.material);
    const wrapped = materials.adopt({ ...identity, materialId }, spec, checked.material);
    return [materialId, wrapped, checked.publicKey ?? ""];
  } finally {
    token.privateKey.fill(0);
  }
}
