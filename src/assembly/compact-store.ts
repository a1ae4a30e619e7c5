import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Settings } from "../config.ts";
import type { AdminRoute } from "../gateway/admin.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Command, ResultsOf, Store } from "../kernel/command.ts";
import { Refusal } from "../kernel/errors.ts";
import { silentLog } from "../kernel/log.ts";
import type { CompactStore, StoreSpace } from "../kernel/space.ts";
import type { SweepDiscarded } from "../services/sqs/store.ts";
import { isShared, openStore } from "./open-store.ts";
import { StartError } from "./start-error.ts";

type Commit = <const T extends readonly Command[]>(commands: T) => Promise<ResultsOf<T>>;

/** One commit: requests wait some tens of milliseconds for it. */
const commitBytesMax = 8 * 2 ** 20;
const sweepRowsMax = 500;
/** One step, after which a caller hears how far it is. */
const stepBytesMax = 64 * 2 ** 20;

const lookedAfterBySelf =
  "the store is PostgreSQL, which looks after its own space (autovacuum; VACUUM FULL shrinks files)";

/** Removes what waits to be removed, then moves up to 64 MiB of the file's end into its gaps. */
async function compactStep(commit: Commit): Promise<StoreSpace> {
  const sweep: SweepDiscarded = { kind: "sqs.sweep", rowsMax: sweepRowsMax };
  for (let more = true; more; ) [{ more }] = await commit([sweep]);
  const compact: CompactStore = { kind: "store.compact", bytesMax: commitBytesMax };
  let [space] = await commit([compact]);
  for (let bytes = commitBytesMax; bytes < stepBytesMax && space.freeBytes > 0; ) {
    [space] = await commit([compact]);
    bytes += commitBytesMax;
  }
  return space;
}

/** `POST /_sealpost/store/compact`: a step of it; `{"fileBytes","freeBytes"}` after it. */
export function compactRoute(commit: Commit, { store }: Pick<Settings, "store">): AdminRoute {
  return {
    method: "POST",
    path: "/_sealpost/store/compact",
    action: "sealpost:CompactStore",
    async handle() {
      if (isShared(store)) throw new Refusal("InvalidRequest", lookedAfterBySelf, { status: 400 });
      return { json: { ...(await compactStep(commit)) } };
    },
  };
}

/**
 * The same on a data folder that no server holds, to the end; `onStep` hears of each step. Throws
 * StartError where there is no file to compact, Fault `store-busy` if a server holds it.
 */
export async function compactStopped(
  settings: Settings,
  systemNowMs: () => EpochMs,
  onStep: (space: StoreSpace) => void,
): Promise<StoreSpace> {
  if (isShared(settings.store)) throw new StartError(lookedAfterBySelf);
  const dataFolder = resolve(settings.data);
  if (!existsSync(join(dataFolder, "sealpost.db"))) {
    throw new StartError(`there is no data folder at ${dataFolder}`);
  }
  const store = await openStore({ store: settings.store, dataFolder, log: silentLog, systemNowMs });
  try {
    for (;;) {
      const space = await compactStep(commitTo(store));
      onStep(space);
      if (space.freeBytes === 0) return space;
    }
  } finally {
    await store.close();
  }
}

function commitTo(store: Store): Commit {
  return async <const T extends readonly Command[]>(commands: T) => {
    const answer = await store.commit({ decidedUnder: [], commands });
    // Nothing was decided under a version, so nothing can be stale.
    return (answer.status === "done" ? answer.results : []) as ResultsOf<T>;
  };
}
