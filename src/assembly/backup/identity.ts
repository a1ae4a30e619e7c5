import type { Store } from "../../kernel/command.ts";
import type { GetMeta, PutMeta } from "../../kernel/meta.ts";
import type { Random } from "../../kernel/random.ts";

const idName = "installation-id";
const epochName = "epoch";

/** Which installation a store belongs to, and how often it was backed up and restored. */
export interface StoreIdentity {
  /** undefined: it never was in a backup. */
  readonly installationId: string | undefined;
  readonly epoch: number;
}

export async function readIdentity(store: Pick<Store, "query">): Promise<StoreIdentity> {
  const text = async (name: string) => {
    const value = await store.query<GetMeta>({ kind: "meta.get", name });
    return value && Buffer.from(value).toString();
  };
  const [installationId, epoch] = [await text(idName), await text(epochName)];
  return { installationId, epoch: Number(epoch ?? 0) };
}

/** Begins the next epoch, and names the installation if it has no name yet. */
export async function raiseEpoch(
  store: Pick<Store, "query" | "commit">,
  random: Random,
): Promise<Required<StoreIdentity> & { readonly installationId: string }> {
  const before = await readIdentity(store);
  const installationId = before.installationId ?? random.uuid();
  const epoch = before.epoch + 1;
  const commands = [put(idName, installationId), put(epochName, String(epoch))];
  await store.commit({ decidedUnder: [], commands });
  return { installationId, epoch };
}

export function putEpoch(epoch: number): PutMeta {
  return put(epochName, String(epoch));
}

function put(name: string, text: string): PutMeta {
  return { kind: "meta.put", name, value: Buffer.from(text) };
}
