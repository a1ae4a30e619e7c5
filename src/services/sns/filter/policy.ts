/** Where a filter policy looks. AWS: MessageAttributes unless said otherwise. */
export type FilterScope = "MessageAttributes" | "MessageBody";

export const filterScopes: readonly FilterScope[] = ["MessageAttributes", "MessageBody"];

/** A single value of a message: of an attribute, or a leaf of a JSON body. */
export type Leaf = string | number | boolean | null;

/** One rule of a list; a list holds if one of its rules does. */
export type Rule =
  | { readonly kind: "equals"; readonly value: Leaf }
  | { readonly kind: "prefix" | "suffix" | "ignore-case"; readonly text: string }
  | { readonly kind: "anything-but"; readonly values: readonly Leaf[] }
  | { readonly kind: "anything-but-prefix"; readonly text: string }
  | {
      readonly kind: "numeric";
      readonly low: Bound | undefined;
      readonly high: Bound | undefined;
    }
  | { readonly kind: "exists"; readonly wanted: boolean }
  | { readonly kind: "cidr"; readonly address: string; readonly bits: number };

export interface Bound {
  readonly value: number;
  readonly inclusive: boolean;
}

/** Members of a policy, all of which must hold. */
export type PolicyNode = readonly PolicyMember[];

export type PolicyMember =
  | { readonly kind: "rules"; readonly name: string; readonly rules: readonly Rule[] }
  | { readonly kind: "nested"; readonly name: string; readonly node: PolicyNode }
  /** `$or`: one of the branches must hold. */
  | { readonly kind: "or"; readonly branches: readonly PolicyNode[] };

/** Names that AWS reads as operators; `$or` over objects with such members is an ordinary key. */
export const operatorNames: ReadonlySet<string> = new Set([
  "exact",
  "equals-ignore-case",
  "prefix",
  "suffix",
  "anything-but",
  "numeric",
  "exists",
  "cidr",
  "wildcard",
]);

/**
 * AWS: how many combinations of values a policy stands for; at most 150. Lists multiply, in the
 * body each times its depth; branches of `$or` add.
 */
export function combinationsOf(node: PolicyNode, depth = 1): number {
  let combinations = 1;
  for (const member of node) {
    if (member.kind === "rules") combinations *= member.rules.length * depth;
    else if (member.kind === "nested") combinations *= combinationsOf(member.node, depth + 1);
    else {
      combinations *= member.branches.reduce((sum, each) => sum + combinationsOf(each, depth), 0);
    }
  }
  return combinations;
}

/** Whether a policy has members inside members; `$or` alone nests nothing. */
export function isNested(node: PolicyNode): boolean {
  return node.some(
    (member) =>
      member.kind === "nested" || (member.kind === "or" && member.branches.some(isNested)),
  );
}
