import { assert } from "../kernel/errors.ts";
import type { Model } from "./model.ts";

export const serviceNames = ["sns", "sqs", "kms", "iam", "sts", "cloudtrail"] as const;

/**
 * The models, loaded with this module as if imported by name. They lie beside `src/` and `dist/`,
 * where the compiler's own JSON imports do not reach.
 */
const models: ReadonlyMap<string, Model> = new Map(
  await Promise.all(serviceNames.map(async (name) => [name, await importModel(name)] as const)),
);

async function importModel(name: string): Promise<Model> {
  const file = new URL(`../../models/${name}.json`, import.meta.url);
  return (await import(file.href, { with: { type: "json" } })).default;
}

export function loadModel(name: string): Model {
  const model = models.get(name);
  assert(model !== undefined, `there is a model ${name}`);
  return model;
}
