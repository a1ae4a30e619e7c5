import type { NotificationAttributes } from "../message-attributes.ts";
import { type Branch, branchHolds, type Condition, compilePolicy } from "./compile.ts";
import { attributeFacts, bodyFacts, type Facts } from "./facts.ts";
import type { FilterScope, Leaf, PolicyNode } from "./policy.ts";

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
 * Compiles filters once. An index by exact values leads to the few policies that can hold, so what
 * a message costs goes with what it meets, not with how many policies there are.
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
  const buckets = new Map<string, Map<Leaf, Indexed[]>>();
  const scanned: Indexed[] = [];
  const wantedPaths = new Set<string>();
  const popularity = countExactValues(entries);
  for (const { order, branches } of entries) {
    for (const branch of branches) {
      for (const { path } of branch) addPrefixes(wantedPaths, path);
      const anchor = anchorOf(branch, popularity);
      if (anchor) enterBuckets(buckets, anchor, { order, branch });
      else scanned.push({ order, branch });
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
      for (const [path, byValue] of buckets) {
        for (const leaf of facts.get(path) ?? []) byValue.get(leaf)?.forEach(look);
      }
      scanned.forEach(look);
      return [...found];
    },
  };
}

/** How many branches ask for each value: few behind a bucket make it a good one. */
type Popularity = ReadonlyMap<string, ReadonlyMap<Leaf, number>>;

function countExactValues(entries: readonly Entry[]): Popularity {
  const counts = new Map<string, Map<Leaf, number>>();
  for (const { path, exact } of entries.flatMap(({ branches }) => branches.flat())) {
    const ofPath = counts.get(path) ?? new Map<Leaf, number>();
    counts.set(path, ofPath);
    for (const leaf of exact) ofPath.set(leaf, (ofPath.get(leaf) ?? 0) + 1);
  }
  return counts;
}

/** The condition of exact values that the fewest other branches share; undefined: there is none. */
function anchorOf(branch: Branch, popularity: Popularity): Condition | undefined {
  let best: Condition | undefined;
  let bestCount = Number.POSITIVE_INFINITY;
  for (const condition of branch) {
    if (!condition.exactOnly) continue;
    const counts = popularity.get(condition.path);
    const count = Math.max(...[...condition.exact].map((leaf) => counts?.get(leaf) ?? 0));
    if (count < bestCount) [best, bestCount] = [condition, count];
  }
  return best;
}

function enterBuckets(
  buckets: Map<string, Map<Leaf, Indexed[]>>,
  { path, exact }: Condition,
  indexed: Indexed,
): void {
  const byValue = buckets.get(path) ?? new Map<Leaf, Indexed[]>();
  buckets.set(path, byValue);
  for (const leaf of exact) {
    const bucket = byValue.get(leaf);
    if (bucket) bucket.push(indexed);
    else byValue.set(leaf, [indexed]);
  }
}

function addPrefixes(paths: Set<string>, path: string): void {
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1)) {
    paths.add(path.slice(0, dot));
  }
  paths.add(path);
}
