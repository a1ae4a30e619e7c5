import { BlockList, isIP } from "node:net";
import { testOf } from "./compile.ts";
import type { Leaf, Rule } from "./policy.ts";
import { createRanges, type Range } from "./ranges.ts";

/** Every rule but that a name is absent, which no value leads to. */
type IndexedRule = Exclude<Rule, { kind: "exists" }> | { readonly kind: "present" };

/**
 * What is wanted of the values at one path, filed by rules. What a message costs goes with what it
 * meets, not with how many rules there are: `visit` leads to all whose rule holds, to some of them
 * more than once, and to a few whose rule does not hold.
 */
export class RuleIndex<T> {
  // Most paths have one kind of rule: the others' places are not made.
  #exact: Map<Leaf, T[]> | undefined;
  #ignoringCase: Map<string, T[]> | undefined;
  #prefixes: Affixes<T> | undefined;
  #suffixes: Affixes<T> | undefined;
  #ranges: Range<T>[] | undefined;
  #around: ReturnType<typeof createRanges<T>> | undefined;
  /** All blocks of addresses together: an address in none of them meets none. */
  #blocks: BlockList | undefined;
  readonly #inBlocks: T[] = [];
  readonly #present: T[] = [];
  /** Rules that most values satisfy, each asked once however many want the same. */
  #tested: Map<string, Tested<T>> | undefined;

  add(rule: IndexedRule, item: T): void {
    switch (rule.kind) {
      case "equals":
        this.#exact ??= new Map();
        addTo(this.#exact, rule.value, item);
        break;
      case "ignore-case":
        this.#ignoringCase ??= new Map();
        addTo(this.#ignoringCase, rule.text.toLowerCase(), item);
        break;
      case "prefix":
        this.#prefixes ??= new Affixes((text, length) => text.slice(0, length));
        this.#prefixes.add(rule.text, item);
        break;
      case "suffix":
        this.#suffixes ??= new Affixes((text, length) => text.slice(text.length - length));
        this.#suffixes.add(rule.text, item);
        break;
      case "numeric":
        this.#addRange(rule, item);
        break;
      case "cidr":
        this.#blocks ??= new BlockList();
        this.#blocks.addSubnet(rule.address, rule.bits, familyOf(rule.address));
        this.#inBlocks.push(item);
        break;
      case "present":
        this.#present.push(item);
        break;
      case "anything-but":
      case "anything-but-prefix":
        this.#addTested(JSON.stringify(rule), testOf(rule), item);
    }
  }

  #addRange({ low, high }: Extract<Rule, { kind: "numeric" }>, item: T): void {
    const range = { low: low?.value ?? -Infinity, high: high?.value ?? Infinity, item };
    this.#ranges ??= [];
    this.#ranges.push(range);
    this.#around = undefined;
  }

  #addTested(name: string, test: Tested<T>["test"], item: T): void {
    this.#tested ??= new Map();
    const same = this.#tested.get(name);
    if (same) same.items.push(item);
    else this.#tested.set(name, { test, items: [item] });
  }

  visit(leaves: readonly Leaf[], each: (item: T) => void): void {
    this.#present.forEach(each);
    for (const leaf of leaves) {
      this.#exact?.get(leaf)?.forEach(each);
      if (typeof leaf === "string") this.#visitText(leaf, each);
      if (typeof leaf === "number" && this.#ranges) {
        this.#around ??= createRanges(this.#ranges);
        this.#around(leaf, each);
      }
      for (const { test, items } of this.#tested?.values() ?? []) {
        if (test(leaf)) items.forEach(each);
      }
    }
  }

  #visitText(text: string, each: (item: T) => void): void {
    this.#ignoringCase?.get(text.toLowerCase())?.forEach(each);
    this.#prefixes?.visit(text, each);
    this.#suffixes?.visit(text, each);
    if (this.#blocks && isIP(text) !== 0 && this.#blocks.check(text, familyOf(text))) {
      this.#inBlocks.forEach(each);
    }
  }
}

interface Tested<T> {
  readonly test: (leaf: Leaf) => boolean;
  readonly items: T[];
}

/** Beginnings or ends: as many are looked up as there are lengths of them. */
class Affixes<T> {
  readonly #items = new Map<string, T[]>();
  readonly #lengths = new Set<number>();
  readonly #cut: (text: string, length: number) => string;

  constructor(cut: (text: string, length: number) => string) {
    this.#cut = cut;
  }

  add(affix: string, item: T): void {
    addTo(this.#items, affix, item);
    this.#lengths.add(affix.length);
  }

  visit(text: string, each: (item: T) => void): void {
    for (const length of this.#lengths) {
      if (length <= text.length) this.#items.get(this.#cut(text, length))?.forEach(each);
    }
  }
}

export function addTo<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
