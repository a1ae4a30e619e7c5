import type { Call } from "../../kernel/call.ts";
import { memoText } from "../../kernel/memo.ts";
import type { ConditionContext, GrantFacts } from "../../kernel/operation.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { keyConditions } from "./conditions.ts";
import { grantsFor } from "./grants.ts";
import { keyArn } from "./keys.ts";
import type { KeyRecord } from "./store.ts";

/** A key as a request found it. */
export interface FoundKey {
  readonly found: true;
  readonly key: Readonly<KeyRecord>;
  readonly arn: string;
  /** The key's own condition keys. */
  readonly conditions: ConditionContext;
  /** The record's, or one like it. */
  readonly policy: AttachedPolicy;
  /** The alias by which the request named the key. */
  readonly requestAlias: string | undefined;
  /** Grants that could be the caller's. */
  readonly grants: readonly GrantFacts[];
}

export function foundKey(
  call: Call,
  key: Readonly<KeyRecord>,
  requestAlias?: string,
): Soon<FoundKey> {
  const bare = bareKey(key);
  if (key.grantCount === undefined) {
    return requestAlias === undefined ? bare : { ...bare, requestAlias };
  }
  return soon(grantsFor(call, key), (grants) => ({ ...bare, requestAlias, grants }));
}

/** A record that is in use stays the same object. */
const bareKeys = new WeakMap<Readonly<KeyRecord>, FoundKey>();

/** What follows from the record alone, put together once. */
export function bareKey(key: Readonly<KeyRecord>): FoundKey {
  let bare = bareKeys.get(key);
  if (bare === undefined) {
    bare = {
      found: true,
      key,
      arn: keyArn(key),
      conditions: oneOfAlike(keyConditions(key)),
      policy: oneOfAlike(key.policy),
      requestAlias: undefined,
      grants: [],
    };
    bareKeys.set(key, bare);
  }
  return bare;
}

const alike = memoText<object>((text) => Object.freeze(JSON.parse(text)), {
  entriesMax: 1_000,
  charactersMax: 4_096,
});

/**
 * One object for all that are alike. Thousands of keys have few policies and conditions between
 * them: one compiled policy serves them all, and stays in the processor's nearest memory.
 */
function oneOfAlike<T extends object>(value: T): T {
  return alike(JSON.stringify(value)) as T;
}
