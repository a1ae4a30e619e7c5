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
  return selectors.list.some((selector) => advancedSelects(conditionsOf(selector), facts));
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

interface Conditions {
  readonly ofResources: readonly FieldSelector[];
  readonly others: readonly FieldSelector[];
}

/** Selectors are the same objects until the trail is changed. */
const known = new WeakMap<AdvancedSelector, Conditions>();

function conditionsOf(selector: AdvancedSelector): Conditions {
  let conditions = known.get(selector);
  if (conditions === undefined) {
    conditions = {
      ofResources: selector.fields.filter(({ field }) => isResourceField(field)),
      others: selector.fields.filter(({ field }) => !isResourceField(field)),
    };
    known.set(selector, conditions);
  }
  return conditions;
}

function advancedSelects({ ofResources, others }: Conditions, facts: EventFacts): boolean {
  if (!others.every((field) => matches(field, factOf(field.field, facts)))) return false;
  if (ofResources.length === 0) return true;
  // AWS?: an event with several resources is taken if one of them fits every condition.
  return facts.resources.some((resource) =>
    ofResources.every((field) =>
      matches(field, field.field === "resources.type" ? resource.type : resource.arn),
    ),
  );
}

function isResourceField(field: string): boolean {
  return field === "resources.type" || field === "resources.ARN";
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

/** AWS: values of one operator are alternatives, but for "not" ones; operators come together. */
function matches(field: FieldSelector, value: string): boolean {
  const some = (values: readonly string[] | undefined, test: (wanted: string) => boolean) =>
    values === undefined || values.some(test);
  const none = (values: readonly string[] | undefined, test: (wanted: string) => boolean) =>
    values === undefined || !values.some(test);
  return (
    some(field.equals, (wanted) => value === wanted) &&
    some(field.startsWith, (wanted) => value.startsWith(wanted)) &&
    some(field.endsWith, (wanted) => value.endsWith(wanted)) &&
    none(field.notEquals, (wanted) => value === wanted) &&
    none(field.notStartsWith, (wanted) => value.startsWith(wanted)) &&
    none(field.notEndsWith, (wanted) => value.endsWith(wanted))
  );
}
