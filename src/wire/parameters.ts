import { Refusal } from "../kernel/errors.ts";
import type { MemberSchema, StructureSchema } from "./schema.ts";

/**
 * Names in SQS's texts that are not the member's, by `Structure.Member`. AWS: sqs.md 4 and 11 (the
 * texts still speak the query protocol).
 */
const parameterNames: ReadonlyMap<string, string> = new Map([
  ["SetQueueAttributesRequest.Attributes", "Attribute.Name"],
  ["AddPermissionRequest.Actions", "ActionName"],
]);

/**
 * Compiles SQS's check of required parameters: those of the request and of each entry of a batch.
 * Ranges, lengths and message attributes are checked by the operations, which have texts of their
 * own. Throws Refusal `MissingParameter`.
 */
export function compileParameterCheck(input: StructureSchema): (input: object) => void {
  const required = input.members.filter((member) => member.required);
  const names = required.map((member) => ({
    name: member.name,
    text: parameterNames.get(`${input.name}.${member.name}`) ?? member.name,
  }));
  const batches = input.members.flatMap(batchOf);
  return (value) => {
    const source = value as Readonly<Record<string, unknown>>;
    for (const { name, text } of names) {
      if (source[name] === undefined) throw missingParameter(text);
    }
    for (const batch of batches) {
      const entries = source[batch.name];
      if (entries !== undefined) checkEntries(entries as readonly object[], batch);
    }
  };
}

interface Batch {
  readonly name: string;
  readonly wireName: string;
  readonly required: readonly string[];
}

function batchOf(member: MemberSchema): readonly Batch[] {
  const list = member.schema;
  if (list.kind !== "list" || list.item.kind !== "structure") return [];
  const required = list.item.members.filter((inner) => inner.required).map((inner) => inner.name);
  return [{ name: member.name, wireName: member.wireName, required }];
}

function checkEntries(entries: readonly object[], batch: Batch): void {
  for (const [index, entry] of entries.entries()) {
    const source = entry as Readonly<Record<string, unknown>>;
    for (const name of batch.required) {
      if (source[name] !== undefined) continue;
      // AWS?: the form for entries.
      throw missingParameter(`${batch.wireName}.${index + 1}.${name}`);
    }
  }
}

function missingParameter(name: string): Refusal {
  return new Refusal("MissingParameter", `The request must contain the parameter ${name}.`);
}
