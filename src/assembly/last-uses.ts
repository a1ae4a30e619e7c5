import type { AccessKeyUse } from "../services/iam/dependencies.ts";

/** When and where access keys and roles were used last, since the start of the process. */
export interface LastUses {
  note(id: string, atMs: number, service: string, region: string): void;
  of(id: string): AccessKeyUse | undefined;
  /** Those that were not taken yet. */
  take(): ReadonlyMap<string, AccessKeyUse>;
}

/** More than that, and those are forgotten that were noted first. */
const usesMax = 10_000;

interface Noted {
  atMs: number;
  service: string;
  region: string;
  taken: boolean;
}

/**
 * A use is written over the one before. A new object for each request would live until the same
 * key is used again: with thousands of users, garbage of V8's old generation.
 */
export function createLastUses(): LastUses {
  const all = new Map<string, Noted>();
  return {
    note(id, atMs, service, region) {
      const known = all.get(id);
      if (known) {
        known.atMs = atMs;
        known.service = service;
        known.region = region;
        known.taken = false;
        return;
      }
      for (const [first] of all) {
        if (all.size < usesMax) break;
        all.delete(first);
      }
      all.set(id, { atMs, service, region, taken: false });
    },
    of(id) {
      const known = all.get(id);
      return known && useOf(known);
    },
    take() {
      const taken = new Map<string, AccessKeyUse>();
      for (const [id, known] of all) {
        if (known.taken) continue;
        known.taken = true;
        taken.set(id, useOf(known));
      }
      return taken;
    },
  };
}

function useOf({ atMs, service, region }: Noted): AccessKeyUse {
  return { atMs, service, region };
}
