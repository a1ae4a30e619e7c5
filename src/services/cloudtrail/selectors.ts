import type { AuditResource } from "../../kernel/operation.ts";
import type { EventFacts } from "./choice.ts";

/** Which events a trail delivers. */
export type Selectors =
  | { readonly form: "basic"; readonly list: readonly BasicSelector[] }
  | { readonly form: "advanced"; readonly list: readonly AdvancedSelector[] };

export interface BasicSelector {
  readonly readWrite: "All" | "ReadOnly" | "WriteOnly";
  readonly management: boolean;
  readonly dataResources: readonly { readonly type: string; readonly values: readonly string[] }[];
  readonly excludedSources: readonly string[];
}

export interface AdvancedSelector {
  readonly name?: string | undefined;
  readonly fields: readonly FieldSelector[];
}

export interface FieldSelector {
  readonly field: string;
  readonly equals?: readonly string[] | undefined;
  readonly startsWith?: readonly string[] | undefined;
  readonly endsWith?: readonly string[] | undefined;
  readonly notEquals?: readonly string[] | undefined;
  readonly notStartsWith?: readonly string[] | undefined;
  readonly notEndsWith?: readonly string[] | undefined;
}

/** AWS: what a new trail has: all management events. */
export const defaultSelectors: Selectors = {
  form: "basic",
  list: [{ readWrite: "All", management: true, dataResources: [], excludedSources: [] }],
};

/** AWS: an event is delivered if one selector takes it. */
export function selects(selectors: Selectors, facts: EventFacts): boolean {
  if (selectors.form === "basic") {
    return selectors.list.some((selector) => basicSelects(selector, facts));
  }
  // Asked for every event: closures for conditions were a fifth of what an event's record
  // leaves for the garbage collector.
  for (const selector of selectors.list) {
    if (advancedSelects(conditionsOf(selector), facts)) return true;
  }
  return false;
}

/**
 * AWS: the data resources of basic selectors are those of S3, Lambda and DynamoDB; message
 * operations need advanced selectors.
 */
function basicSelects(selector: BasicSelector, facts: EventFacts): boolean {
  if (facts.category !== "Management" || !selector.management) return false;
  if (selector.excludedSources.includes(facts.eventSource)) return false;
  return selector.readWrite === "All" || (selector.readWrite === "ReadOnly") === facts.readOnly;
}

type Test<Of> = (of: Of) => boolean;

/** A selector as functions. */
interface Conditions {
  readonly ofResources: readonly Test<AuditResource>[];
  readonly others: readonly Test<EventFacts>[];
}

/** Selectors are the same objects until the trail is changed. */
const known = new WeakMap<AdvancedSelector, Conditions>();

function conditionsOf(selector: AdvancedSelector): Conditions {
  let conditions = known.get(selector);
  if (conditions === undefined) {
    const { fields } = selector;
    conditions = {
      ofResources: fields.filter(({ field }) => isResourceField(field)).map(resourceTest),
      others: fields.filter(({ field }) => !isResourceField(field)).map(factTest),
    };
    known.set(selector, conditions);
  }
  return conditions;
}

function advancedSelects({ ofResources, others }: Conditions, facts: EventFacts): boolean {
  if (!holdAll(others, facts)) return false;
  if (ofResources.length === 0) return true;
  // AWS?: an event with several resources is taken if one of them fits every condition.
  for (const resource of facts.resources) if (holdAll(ofResources, resource)) return true;
  return false;
}

function holdAll<Of>(tests: readonly Test<Of>[], of: Of): boolean {
  for (const test of tests) if (!test(of)) return false;
  return true;
}

function isResourceField(field: string): boolean {
  return field === "resources.type" || field === "resources.ARN";
}

function resourceTest(field: FieldSelector): Test<AuditResource> {
  const matches = valueTest(field);
  if (field.field === "resources.type") return ({ type }) => matches(type);
  return ({ arn }) => matches(arn);
}

function factTest(field: FieldSelector): Test<EventFacts> {
  const matches = valueTest(field);
  return (facts) => matches(factOf(field.field, facts));
}

function factOf(field: string, facts: EventFacts): string {
  switch (field) {
    case "eventCategory":
      return facts.category;
    case "readOnly":
      return String(facts.readOnly);
    case "eventSource":
      return facts.eventSource;
    case "eventName":
      return facts.eventName;
    case "eventType":
      return facts.eventType;
    case "userIdentity.arn":
      return facts.identityArn;
    // AWS: sessionCredentialFromConsole; there is no console session here.
    default:
      return "false";
  }
}

const operators = {
  equals: (value: string, wanted: string) => value === wanted,
  startsWith: (value: string, wanted: string) => value.startsWith(wanted),
  endsWith: (value: string, wanted: string) => value.endsWith(wanted),
};

/** AWS: values of one operator are alternatives, but for "not" ones; operators come together. */
function valueTest(field: FieldSelector): Test<string> {
  const tests: Test<string>[] = [];
  const add = (
    values: readonly string[] | undefined,
    operator: keyof typeof operators,
    wish: boolean,
  ) => {
    if (values === undefined) return;
    const fits = operators[operator];
    tests.push((value) => {
      for (const wanted of values) if (fits(value, wanted)) return wish;
      return !wish;
    });
  };
  add(field.equals, "equals", true);
  add(field.startsWith, "startsWith", true);
  add(field.endsWith, "endsWith", true);
  add(field.notEquals, "equals", false);
  add(field.notStartsWith, "startsWith", false);
  add(field.notEndsWith, "endsWith", false);
  return (value) => holdAll(tests, value);
}
