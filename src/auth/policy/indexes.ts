import { memoText } from "../../kernel/memo.ts";
import type { AttachedPolicy, NamedPolicy } from "../../kernel/policy.ts";
import type { CompiledStatement } from "./compile.ts";
import { compilePolicy, speaksAbout } from "./compile.ts";
import type { PolicyKind } from "./document.ts";
import { labelsOf, StatementIndex } from "./statement-index.ts";

/** The statements of something that speak about an action, which is in lower case. */
type ByAction<T> = (action: string) => StatementIndex<T>;

/** A statement of one policy of a list. */
interface NamedStatement {
  readonly name: string;
  readonly compiled: CompiledStatement;
}

/** Actions come from the server's tables, so few; a simulator may ask for any text. */
const limits = { entriesMax: 256, charactersMax: 512 };

const ofPolicies = new Map<PolicyKind, WeakMap<AttachedPolicy, ByAction<CompiledStatement>>>();
const ofLists = new Map<PolicyKind, WeakMap<readonly NamedPolicy[], ByAction<NamedStatement>>>();

/** The statements of a policy. It is compiled once. */
export function indexOf(policy: AttachedPolicy, kind: PolicyKind): ByAction<CompiledStatement> {
  return remembered(ofPolicies, kind, policy, () => {
    const statements = compilePolicy(policy.text, kind);
    return memoText((action) => {
      const speakers = statements.filter((statement) => speaksAbout(statement, action));
      return new StatementIndex(speakers, (one) => labelsOf(one, policy.principalIds));
    }, limits);
  });
}

/**
 * The statements of all policies of a list, which must not change: a list that stays the same
 * object is looked through once for each action.
 */
export function indexOfList(
  policies: readonly NamedPolicy[],
  kind: PolicyKind,
): ByAction<NamedStatement> {
  return remembered(ofLists, kind, policies, () =>
    memoText((action) => {
      const speakers = policies.flatMap(({ name, policy }) =>
        indexOf(policy, kind)(action).list.map((compiled) => ({ name, compiled })),
      );
      return new StatementIndex(speakers, ({ compiled }) => labelsOf(compiled, {}));
    }, limits),
  );
}

function remembered<K extends object, V>(
  all: Map<PolicyKind, WeakMap<K, V>>,
  kind: PolicyKind,
  key: K,
  make: () => V,
): V {
  let ofKind = all.get(kind);
  if (ofKind === undefined) {
    ofKind = new WeakMap();
    all.set(kind, ofKind);
  }
  let found = ofKind.get(key);
  if (found === undefined) {
    found = make();
    ofKind.set(key, found);
  }
  return found;
}
