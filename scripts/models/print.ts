import type { Model, ModelShape } from "../../src/wire/model.ts";

/** JSON with one line per operation, error, member and simple shape: compact, but it diffs well. */
export function printModel(model: Model): string {
  const { operations, errors, shapes, ...head } = model;
  const lines = Object.entries(head).map(([name, value]) => ` ${entry(name, value)},`);
  return [
    "{",
    ...lines,
    ' "operations": {',
    joined(Object.entries(operations).map(([name, value]) => `  ${entry(name, value)}`)),
    " },",
    ' "errors": {',
    joined(Object.entries(errors).map(([name, value]) => `  ${entry(name, value)}`)),
    " },",
    ' "shapes": {',
    joined(Object.entries(shapes).map(([name, shape]) => printShape(name, shape))),
    " }",
    "}",
    "",
  ].join("\n");
}

function printShape(name: string, shape: ModelShape): string {
  if (shape.type !== "structure" || Object.keys(shape.members).length === 0) {
    return `  ${entry(name, shape)}`;
  }
  const members = Object.entries(shape.members).map(([key, value]) => `   ${entry(key, value)}`);
  return `  ${JSON.stringify(name)}:{"type":"structure","members":{\n${joined(members)}\n  }}`;
}

function entry(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}

function joined(lines: readonly string[]): string {
  return lines.join(",\n");
}
