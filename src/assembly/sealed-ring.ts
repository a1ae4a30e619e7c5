import type { Store } from "../kernel/command.ts";
import type { GetMeta, PutMeta } from "../kernel/meta.ts";
import type { StoredSeal } from "../seals/seal.ts";

const ringName = "key-ring";
const sealName = "seal";

/** The key ring as it lies in the store, with what opens its seal again. */
export interface SealedRing {
  readonly ring: Uint8Array;
  readonly storedSeal: StoredSeal;
}

export async function readSealedRing(store: Pick<Store, "query">): Promise<SealedRing | undefined> {
  const ring = await store.query<GetMeta>({ kind: "meta.get", name: ringName });
  if (ring === undefined) return undefined;
  const stored = await store.query<GetMeta>({ kind: "meta.get", name: sealName });
  // The first folders had one kind of seal and did not say so.
  if (stored === undefined) return { ring, storedSeal: { kind: "file" } };
  return { ring, storedSeal: JSON.parse(Buffer.from(stored).toString()) };
}

/** INVARIANT: ring and seal change in one commit: either both are the old ones, or both are new. */
export async function writeSealedRing(
  store: Pick<Store, "commit">,
  { ring, storedSeal }: SealedRing,
): Promise<void> {
  const seal = Buffer.from(JSON.stringify(storedSeal));
  const commands: readonly PutMeta[] = [
    { kind: "meta.put", name: ringName, value: ring },
    { kind: "meta.put", name: sealName, value: seal },
  ];
  await store.commit({ decidedUnder: [], commands });
}
