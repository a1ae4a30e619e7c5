import { BlockList, isIP } from "node:net";
import type { Facts } from "./facts.ts";
import type { Leaf, PolicyNode, Rule } from "./policy.ts";

/** What must hold at one path, ready to be asked. */
export interface Condition {
  readonly path: string;
  /** It holds if one of them does. */
  readonly rules: readonly Rule[];
  holds(leaves: readonly Leaf[] | undefined): boolean;
}

/** Conditions that must all hold; a policy is a choice of such branches. */
export type Branch = readonly Condition[];

export function compilePolicy(policy: PolicyNode): readonly Branch[] {
  return expand(policy, "", [[]]);
}

export function branchHolds(branch: Branch, facts: Facts): boolean {
  return branch.every((condition) => condition.holds(facts.get(condition.path)));
}

/**
 * Takes `$or` apart. Bounded: a policy has at most 150 combinations, so at most as many branches.
 */
function expand(node: PolicyNode, prefix: string, branches: readonly Branch[]): readonly Branch[] {
  let grown = branches;
  for (const member of node) {
    if (member.kind === "or") {
      const before = grown;
      grown = member.branches.flatMap((each) => expand(each, prefix, before));
    } else if (member.kind === "nested") {
      grown = expand(member.node, `${prefix}${member.name}.`, grown);
    } else {
      const condition = compileCondition(prefix + member.name, member.rules);
      grown = grown.map((branch) => [...branch, condition]);
    }
  }
  return grown;
}

function compileCondition(path: string, rules: readonly Rule[]): Condition {
  const exact = new Set<Leaf>();
  const tests: ((leaf: Leaf) => boolean)[] = [];
  let present = false;
  let absent = false;
  for (const rule of rules) {
    if (rule.kind === "equals") exact.add(rule.value);
    else if (rule.kind !== "exists") tests.push(testOf(rule));
    else if (rule.wanted) present = true;
    else absent = true;
  }
  return {
    path,
    rules,
    holds(leaves) {
      if (!leaves) return absent;
      if (present) return true;
      return leaves.some((leaf) => exact.has(leaf) || tests.some((test) => test(leaf)));
    },
  };
}

type TestedRule = Exclude<Rule, { kind: "equals" | "exists" }>;

export function testOf(rule: TestedRule): (leaf: Leaf) => boolean {
  switch (rule.kind) {
    case "prefix":
      return (leaf) => typeof leaf === "string" && leaf.startsWith(rule.text);
    case "suffix":
      return (leaf) => typeof leaf === "string" && leaf.endsWith(rule.text);
    case "ignore-case": {
      const wanted = rule.text.toLowerCase();
      return (leaf) => typeof leaf === "string" && leaf.toLowerCase() === wanted;
    }
    case "anything-but": {
      const excluded = new Set(rule.values);
      return (leaf) => !excluded.has(leaf);
    }
    case "anything-but-prefix":
      return (leaf) => typeof leaf !== "string" || !leaf.startsWith(rule.text);
    case "numeric":
      return numericTest(rule);
    case "cidr":
      return cidrTest(rule.address, rule.bits);
  }
}

function numericTest({ low, high }: Extract<Rule, { kind: "numeric" }>): (leaf: Leaf) => boolean {
  return (leaf) => {
    if (typeof leaf !== "number") return false;
    if (low && (low.inclusive ? leaf < low.value : leaf <= low.value)) return false;
    return !high || (high.inclusive ? leaf <= high.value : leaf < high.value);
  };
}

function cidrTest(address: string, bits: number): (leaf: Leaf) => boolean {
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  const block = new BlockList();
  block.addSubnet(address, bits, family);
  return (leaf) => {
    if (typeof leaf !== "string" || isIP(leaf) !== (family === "ipv4" ? 4 : 6)) return false;
    return block.check(leaf, family);
  };
}
