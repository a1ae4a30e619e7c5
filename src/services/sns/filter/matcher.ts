import type { NotificationAttributes } from "../message-attributes.ts";
import { type Branch, branchHolds, type Condition, compilePolicy } from "./compile.ts";
import { attributeFacts, bodyFacts, type Facts } from "./facts.ts";
import type { FilterScope, PolicyNode, Rule } from "./policy.ts";
import { addTo, RuleIndex } from "./rule-index.ts";

/** Somebody who wants some of the messages; without a policy all of them. */
export interface Filtered<T> {
  readonly subject: T;
  readonly filter: { readonly scope: FilterScope; readonly policy: PolicyNode } | undefined;
}

/** A message as filters see it. */
export interface FilterableMessage {
  readonly attributes: NotificationAttributes | undefined;
  readonly body: string;
}

/** Whom a message is for, and why others do not get it; AWS counts them by reason. */
export interface Selection<T> {
  /** In the order in which they were given. */
  readonly selected: readonly T[];
  readonly filteredOut: FilteredOut;
}

export interface FilteredOut {
  readonly byAttributes: number;
  readonly byBody: number;
  /** Of `byAttributes`: the message has no attributes, or has some with an improper value. */
  readonly noAttributes: number;
  readonly invalidAttributes: number;
  /** Of `byBody`: the body is no JSON object. */
  readonly invalidBody: number;
}

export interface Matcher<T> {
  select(message: FilterableMessage): Selection<T>;
}

/**
 * Compiles filters once. An index by their rules leads to the few policies that can hold, so what a
 * message costs goes with what it meets, not with how many policies there are.
 */
export function createMatcher<T>(filtered: readonly Filtered<T>[]): Matcher<T> {
  const open = filtered.flatMap(({ filter }, order) => (filter ? [] : [order]));
  const attributes = createIndex(ofScope(filtered, "MessageAttributes"));
  const body = createIndex(ofScope(filtered, "MessageBody"));
  return {
    select(message) {
      const byAttributes = selectByAttributes(attributes, message);
      const bodyRead = body.policies === 0 ? undefined : bodyFacts(message.body, body.wantedPaths);
      const byBody = bodyRead ? body.find(bodyRead) : [];
      const orders = merge(open, [...byAttributes.found, ...byBody]);
      const outByAttributes = attributes.policies - byAttributes.found.length;
      return {
        selected: orders.flatMap((order) => filtered[order]?.subject ?? []),
        filteredOut: {
          byAttributes: outByAttributes,
          byBody: body.policies - byBody.length,
          noAttributes: message.attributes ? 0 : outByAttributes,
          invalidAttributes: byAttributes.invalid ? outByAttributes : 0,
          invalidBody: body.policies > 0 && !bodyRead ? body.policies : 0,
        },
      };
    },
  };
}

function selectByAttributes(index: Index, { attributes }: FilterableMessage) {
  if (index.policies === 0) return { found: [], invalid: false };
  const { facts, invalid } = attributeFacts(attributes);
  return { found: index.find(facts), invalid };
}

/** `open` is sorted already; usually one of the two is empty. */
function merge(open: readonly number[], found: readonly number[]): readonly number[] {
  if (found.length === 0) return open;
  return [...open, ...found].sort((one, other) => one - other);
}

interface Indexed {
  readonly order: number;
  readonly branch: Branch;
}

interface Index {
  readonly policies: number;
  /** Every path that a policy names, and every beginning of one. */
  readonly wantedPaths: ReadonlySet<string>;
  /** Orders of those whose policy holds, each once. */
  find(facts: Facts): readonly number[];
}

type Entry = { readonly order: number; readonly branches: readonly Branch[] };

function ofScope<T>(filtered: readonly Filtered<T>[], scope: FilterScope): readonly Entry[] {
  return filtered.flatMap(({ filter }, order) =>
    filter?.scope === scope ? [{ order, branches: compilePolicy(filter.policy) }] : [],
  );
}

function createIndex(entries: readonly Entry[]): Index {
  const byPath = new Map<string, RuleIndex<Indexed>>();
  /** By paths that must be absent. */
  const byAbsence = new Map<string, Indexed[]>();
  /** What asks for nothing. */
  const always: Indexed[] = [];
  const wantedPaths = new Set<string>();
  const popularity = countRules(entries);
  const file = (path: string, rule: Rule, indexed: Indexed) => {
    if (rule.kind === "exists" && !rule.wanted) addTo(byAbsence, path, indexed);
    else {
      const index = byPath.get(path) ?? new RuleIndex();
      byPath.set(path, index);
      index.add(rule.kind === "exists" ? { kind: "present" } : rule, indexed);
    }
  };
  for (const { order, branches } of entries) {
    for (const branch of branches) {
      for (const { path } of branch) addPrefixes(wantedPaths, path);
      const anchor = anchorOf(branch, popularity);
      if (!anchor) always.push({ order, branch });
      for (const rule of anchor?.rules ?? []) file(anchor?.path ?? "", rule, { order, branch });
    }
  }
  return {
    policies: entries.length,
    wantedPaths,
    find(facts) {
      const found = new Set<number>();
      const look = ({ order, branch }: Indexed) => {
        if (!found.has(order) && branchHolds(branch, facts)) found.add(order);
      };
      always.forEach(look);
      for (const [path, leaves] of facts) byPath.get(path)?.visit(leaves, look);
      for (const [path, absent] of byAbsence) if (!facts.has(path)) absent.forEach(look);
      return [...found];
    },
  };
}

/** How many branches have each rule at each path. */
type Popularity = ReadonlyMap<string, number>;

const ruleName = (path: string, rule: Rule) => `${path}\0${JSON.stringify(rule)}`;

function countRules(entries: readonly Entry[]): Popularity {
  const counts = new Map<string, number>();
  for (const { path, rules } of entries.flatMap(({ branches }) => branches.flat())) {
    for (const rule of rules) {
      const name = ruleName(path, rule);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** Rules that tell more apart come first. */
const breadths: Readonly<Record<Rule["kind"], number>> = {
  equals: 0,
  prefix: 0,
  suffix: 0,
  "ignore-case": 0,
  cidr: 1,
  numeric: 1,
  exists: 2,
  "anything-but": 2,
  "anything-but-prefix": 2,
};

/** The condition under which a branch is filed: the narrowest, which the fewest others share. */
function anchorOf(branch: Branch, popularity: Popularity): Condition | undefined {
  let best: Condition | undefined;
  let bestBreadth = Number.POSITIVE_INFINITY;
  let bestCount = Number.POSITIVE_INFINITY;
  for (const condition of branch) {
    const { path, rules } = condition;
    const breadth = Math.max(...rules.map(({ kind }) => breadths[kind]));
    const count = Math.max(...rules.map((rule) => popularity.get(ruleName(path, rule)) ?? 0));
    if (breadth > bestBreadth || (breadth === bestBreadth && count >= bestCount)) continue;
    [best, bestBreadth, bestCount] = [condition, breadth, count];
  }
  return best;
}

function addPrefixes(paths: Set<string>, path: string): void {
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1)) {
    paths.add(path.slice(0, dot));
  }
  paths.add(path);
}
