import type { DatabaseSync } from "node:sqlite";
import { type ChainKey, chainHash, chainStart } from "../../crypto/chain.ts";
import { assert } from "../../kernel/errors.ts";
import { prepare } from "./act.ts";

/** Where the next event of a chain goes, and what ties it to the one before. */
export interface Link {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly keyVersion: number;
}

export interface ChainLane {
  readonly accountId: string;
  readonly region: string;
  readonly lane: string;
}

/** The newest links of all chains, and the key that makes new ones. */
export interface Chains {
  unlock(key: ChainKey): void;
  /** Takes the next place of a chain. */
  link(lane: ChainLane, facts: readonly unknown[], record: string | Uint8Array): Link;
  /** Keeps the heads of what was linked. Call before the transaction ends. */
  flush(): void;
  /** Something was rolled back: what is known of the heads may be wrong. */
  reload(): void;
}

type Head = Pick<Link, "number" | "hash">;

/** Any region name is one: what a stranger makes up must not stay for ever. */
const headsMax = 4096;

export function createChains(database: DatabaseSync): Chains {
  const read = prepare<Head>(
    database,
    "SELECT number, hash FROM audit_chains WHERE account_id = ? AND region = ? AND lane = ?",
  );
  const write = prepare(database, "INSERT OR REPLACE INTO audit_chains VALUES (?, ?, ?, ?, ?)");
  const heads = new Map<string, Head>();
  /** Lanes whose head is newer here than in the table, by name. */
  const moved = new Map<string, ChainLane>();
  let present: ChainKey | undefined;
  return {
    unlock(key) {
      present = key;
    },
    link(place, facts, record) {
      assert(present, "the audit is unlocked before its first event");
      const { accountId, region, lane } = place;
      const name = `${accountId}/${region}/${lane}`;
      const before = heads.get(name) ??
        read.get(accountId, region, lane) ?? { number: 0, hash: chainStart };
      const number = before.number + 1;
      const hash = chainHash(present, { ...place, number }, before.hash, facts, record);
      heads.set(name, { number, hash });
      moved.set(name, place);
      return { number, hash, keyVersion: present.version };
    },
    flush() {
      if (moved.size === 0) return;
      for (const [name, { accountId, region, lane }] of moved) {
        const head = heads.get(name);
        assert(head, "a head that moved is known");
        write.run(accountId, region, lane, head.number, head.hash);
      }
      moved.clear();
      if (heads.size >= headsMax) heads.clear();
    },
    reload() {
      heads.clear();
      moved.clear();
    },
  };
}
