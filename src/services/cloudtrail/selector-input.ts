import type { AdvancedEventSelector, EventSelector } from "@aws-sdk/client-cloudtrail";
import type { Wire } from "../../kernel/wire-types.ts";
import { refuse } from "./refusals.ts";
import type { AdvancedSelector, BasicSelector, FieldSelector, Selectors } from "./selectors.ts";

/** AWS: bounds of event selectors. */
const basicMax = 5;
const dataResourcesMax = 250;
const conditionsMax = 500;

const excludable = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
const basicTypes = ["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"];

/** AWS?: the texts behind this code. */
function invalid(text: string) {
  return refuse("InvalidEventSelectorsException", text);
}

/** Throws InvalidEventSelectors. */
export function readBasic(given: readonly Wire<EventSelector>[]): Selectors {
  if (given.length < 1 || given.length > basicMax) {
    throw invalid(`A trail has 1 to ${basicMax} event selectors.`);
  }
  const list = given.map(basicOf);
  const values = list.flatMap(({ dataResources }) => dataResources.flatMap((one) => one.values));
  if (values.length > dataResourcesMax) {
    throw invalid(`Event selectors name at most ${dataResourcesMax} data resources.`);
  }
  return { form: "basic", list };
}

function basicOf(given: Wire<EventSelector>): BasicSelector {
  const { ReadWriteType = "All", IncludeManagementEvents = true } = given;
  if (!["All", "ReadOnly", "WriteOnly"].includes(ReadWriteType)) {
    throw invalid(`ReadWriteType ${ReadWriteType} is none of All, ReadOnly, WriteOnly.`);
  }
  const excludedSources = given.ExcludeManagementEventSources ?? [];
  const unknown = excludedSources.find((source) => !excludable.includes(source));
  if (unknown !== undefined) {
    throw invalid(`ExcludeManagementEventSources: ${unknown} is none of ${excludable.join(", ")}.`);
  }
  if (!IncludeManagementEvents && excludedSources.length > 0) {
    throw invalid("ExcludeManagementEventSources needs IncludeManagementEvents.");
  }
  const dataResources = (given.DataResources ?? []).map(({ Type = "", Values = [] }) => {
    if (!basicTypes.includes(Type)) {
      throw invalid(
        `The data resource type ${Type} needs advanced event selectors; ` +
          `basic ones take ${basicTypes.join(", ")}.`,
      );
    }
    return { type: Type, values: [...Values] };
  });
  return {
    readWrite: ReadWriteType,
    management: IncludeManagementEvents,
    dataResources,
    excludedSources: [...excludedSources],
  };
}

const operators = {
  Equals: "equals",
  StartsWith: "startsWith",
  EndsWith: "endsWith",
  NotEquals: "notEquals",
  NotStartsWith: "notStartsWith",
  NotEndsWith: "notEndsWith",
} as const;
type OperatorName = keyof typeof operators;
const operatorNames = Object.keys(operators) as OperatorName[];

/** AWS: fields of advanced selectors, with the categories that they are good for. */
const fields: Readonly<Record<string, readonly string[]>> = {
  eventCategory: ["Management", "Data"],
  readOnly: ["Management", "Data"],
  eventSource: ["Management", "Data"],
  eventName: ["Data"],
  eventType: ["Data"],
  "userIdentity.arn": ["Data"],
  sessionCredentialFromConsole: ["Data"],
  "resources.type": ["Data"],
  "resources.ARN": ["Data"],
};

/** Throws InvalidEventSelectors. */
export function readAdvanced(given: readonly Wire<AdvancedEventSelector>[]): Selectors {
  if (given.length < 1) throw invalid("A trail has at least one advanced event selector.");
  const list = given.map(advancedOf);
  const conditions = list.flatMap((selector) => selector.fields.flatMap(valuesOf));
  if (conditions.length > conditionsMax) {
    throw invalid(`Advanced event selectors have at most ${conditionsMax} values.`);
  }
  return { form: "advanced", list };
}

function advancedOf({ Name, FieldSelectors }: Wire<AdvancedEventSelector>): AdvancedSelector {
  const list = FieldSelectors.map(fieldOf);
  const names = list.map(({ field }) => field);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`The field ${twice} is there more than once.`);
  const category = onlyEquals(list, "eventCategory")?.[0] ?? "";
  if (category !== "Management" && category !== "Data") {
    throw invalid("eventCategory must equal Management or Data, once.");
  }
  const misplaced = names.find((name) => !fields[name]?.includes(category));
  if (misplaced !== undefined) {
    throw invalid(`The field ${misplaced} is not supported for ${category} events.`);
  }
  if (category === "Data" && onlyEquals(list, "resources.type")?.length !== 1) {
    throw invalid("Data events need resources.type, equal to one type.");
  }
  checkReadOnly(list);
  if (category === "Management") checkSources(list);
  return { ...(Name !== undefined && { name: Name }), fields: list };
}

function fieldOf(given: Wire<AdvancedEventSelector>["FieldSelectors"][number]): FieldSelector {
  const { Field } = given;
  if (fields[Field] === undefined) throw invalid(`The field ${Field} is not supported.`);
  const used = operatorNames.filter((name) => given[name] !== undefined);
  if (used.length === 0) throw invalid(`The field ${Field} needs an operator.`);
  const entries = used.map((name) => [operators[name], [...(given[name] ?? [])]]);
  return { field: Field, ...Object.fromEntries(entries) };
}

/** The values of a field that has Equals and nothing else. */
function onlyEquals(list: readonly FieldSelector[], field: string): readonly string[] | undefined {
  const found = list.find((one) => one.field === field);
  if (found?.equals === undefined) return undefined;
  return valuesOf(found).length === found.equals.length ? found.equals : undefined;
}

function checkReadOnly(list: readonly FieldSelector[]): void {
  if (!list.some(({ field }) => field === "readOnly")) return;
  const [value, ...more] = onlyEquals(list, "readOnly") ?? [];
  if ((value !== "true" && value !== "false") || more.length > 0) {
    throw invalid("readOnly must equal true or false.");
  }
}

/** AWS: management events may leave two noisy sources out, and be limited in no other way. */
function checkSources(list: readonly FieldSelector[]): void {
  const source = list.find(({ field }) => field === "eventSource");
  if (source === undefined) return;
  const left = source.notEquals ?? [];
  if (left.length === valuesOf(source).length && left.every((one) => excludable.includes(one))) {
    return;
  }
  throw invalid(`For management events eventSource takes NotEquals ${excludable.join(", ")}.`);
}

function valuesOf(field: FieldSelector): readonly string[] {
  return [
    field.equals,
    field.startsWith,
    field.endsWith,
    field.notEquals,
    field.notStartsWith,
    field.notEndsWith,
  ].flatMap((values) => values ?? []);
}

/** Selectors as GetEventSelectors and PutEventSelectors answer them. */
export function presentSelectors(selectors: Selectors) {
  return selectors.form === "basic"
    ? { EventSelectors: selectors.list.map(presentBasic) }
    : { AdvancedEventSelectors: selectors.list.map(presentAdvanced) };
}

function presentBasic(selector: BasicSelector) {
  return {
    ReadWriteType: selector.readWrite,
    IncludeManagementEvents: selector.management,
    DataResources: selector.dataResources.map(({ type, values }) => ({
      Type: type,
      Values: values,
    })),
    ExcludeManagementEventSources: selector.excludedSources,
  };
}

function presentAdvanced({ name, fields: list }: AdvancedSelector) {
  return {
    ...(name !== undefined && { Name: name }),
    FieldSelectors: list.map((field) => ({
      Field: field.field,
      ...Object.fromEntries(
        operatorNames.flatMap((operator) => {
          const values = field[operators[operator]];
          return values === undefined ? [] : [[operator, values]];
        }),
      ),
    })),
  };
}
