import type {
  Model,
  ModelError,
  ModelMember,
  ModelOperation,
  ModelShape,
  ModelSimple,
} from "../../src/wire/model.ts";
import type { Descriptions } from "./descriptions.ts";
import type { ErrorSchema, Member, Schema } from "./schemas.ts";
import { readErrors, readOperations } from "./schemas.ts";
import type { ServiceSource } from "./services.ts";

/** Joins the SDK's schemas with the constraints of the descriptions, by structure and member. */
export function buildModel(
  source: ServiceSource,
  exports: Readonly<Record<string, unknown>>,
  descriptions: Descriptions,
): Model {
  const shapes = new Map<string, ModelShape>();
  const place = shapePlacer(source, exports, descriptions, shapes);
  const operations = readOperations(exports).map(({ name, input, output }) => {
    const operation: ModelOperation = {
      ...(input && { input: place(input, undefined) }),
      ...(output && { output: place(output, undefined) }),
    };
    return [name, operation] as const;
  });
  const errors = readErrors(exports).map((error) => [error.name, modelError(source, error)]);
  return {
    name: source.name,
    version: source.version,
    ...(source.json && { json: source.json }),
    ...(source.query && { query: source.query }),
    operations: Object.fromEntries(operations),
    errors: Object.fromEntries(errors),
    shapes: Object.fromEntries([...shapes].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function modelError(source: ServiceSource, error: ErrorSchema): ModelError {
  const modelled = error.status ?? (error.fault === "client" ? 400 : 500);
  const status = error.fault === "client" ? (source.clientErrorStatus ?? modelled) : modelled;
  const code = source.query && (source.errorCodes?.[error.name] ?? error.queryCode);
  return {
    status,
    ...(code !== undefined && code !== error.name && { code }),
    ...(error.members.includes("Message") && { messageMember: "Message" }),
  };
}

type Place = (schema: Schema, described: string | undefined) => string;

/** Puts a schema and what it refers to in `shapes` and answers the name to refer to it by. */
function shapePlacer(
  source: ServiceSource,
  exports: Readonly<Record<string, unknown>>,
  descriptions: Descriptions,
  shapes: Map<string, ModelShape>,
): Place {
  const put = (name: string, make: () => ModelShape): string => {
    if (shapes.has(name)) return name;
    // Holds the name while a shape that refers to itself is made.
    shapes.set(name, { type: "structure", members: {} });
    shapes.set(name, make());
    return name;
  };
  const placeMember = (structure: string, member: Member): [string, ModelMember] => {
    const xmlName = source.xmlNames?.[`${structure}.${member.name}`] ?? member.xmlName;
    const shape = place(member.schema, descriptions.member(structure, member.name));
    return [
      member.name,
      {
        shape,
        ...(member.required && { required: true as const }),
        ...(xmlName !== undefined && { xmlName }),
        ...(member.flattened && { flattened: true as const }),
      },
    ];
  };
  const place: Place = (schema, described) => {
    switch (schema.kind) {
      case "structure":
        return put(schema.name, () => ({
          type: "structure",
          members: Object.fromEntries(schema.members.map((m) => placeMember(schema.name, m))),
        }));
      case "simple":
        return placeSimple(schema, described);
      case "list": {
        const item = place(schema.item.schema, described && descriptions.item(described));
        const length = described && descriptions.count(described);
        return put(schema.name ?? described ?? `${item}List`, () => ({
          type: "list",
          item,
          ...(schema.item.xmlName !== undefined && { itemName: schema.item.xmlName }),
          ...(length && { length }),
        }));
      }
      case "map": {
        const key = place(schema.key.schema, described && descriptions.key(described));
        const value = place(schema.value.schema, described && descriptions.item(described));
        const length = described && descriptions.count(described);
        return put(schema.name ?? described ?? `${key}To${value}Map`, () => ({
          type: "map",
          key,
          ...(schema.key.xmlName !== undefined && { keyName: schema.key.xmlName }),
          value,
          ...(schema.value.xmlName !== undefined && { valueName: schema.value.xmlName }),
          ...(length && { length }),
        }));
      }
    }
  };
  const placeSimple = (
    schema: Schema & { kind: "simple" },
    described: string | undefined,
  ): string => {
    const name = described ?? schema.name;
    const known = name === undefined ? undefined : descriptions.simple(name);
    const sensitive = schema.sensitive || known?.sensitive;
    const simple: ModelSimple = {
      ...(known ?? { type: schema.type === "number" ? "double" : schema.type }),
      ...(known?.enum && name && { enum: enumOf(name, known.enum, exports) }),
      ...(sensitive && { sensitive: true }),
    };
    const plain = Object.keys(simple).length === 1 || source.ownChecks?.includes(name ?? "");
    if (plain || name === undefined) return plainName(simple.type);
    return put(name, () => simple);
  };
  return place;
}

function plainName(type: ModelSimple["type"]): string {
  return type.charAt(0).toUpperCase() + type.slice(1);
}

/** Values of the description, then those that only the (newer) SDK has. */
function enumOf(
  name: string,
  described: readonly string[],
  exports: Readonly<Record<string, unknown>>,
): readonly string[] {
  const values = exports[name.charAt(0).toUpperCase() + name.slice(1)];
  if (typeof values !== "object" || values === null) return described;
  const known = Object.values(values).filter((value): value is string => typeof value === "string");
  return [...new Set([...described, ...known])];
}
