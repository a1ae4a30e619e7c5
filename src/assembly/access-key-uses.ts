import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { AccessKeyUse } from "../services/iam/dependencies.ts";
import { accessKeyUses, installation } from "../services/iam/store.ts";
import type { RecordCache } from "../state/record-cache.ts";
import { repeat } from "../workers/repeat.ts";
import { change } from "./change.ts";

export interface KeepAccessKeyUsesOptions {
  readonly records: RecordCache;
  readonly clock: Clock;
  readonly log: Log;
  /** Uses since it was last asked. */
  readonly taken: () => Promise<ReadonlyMap<string, AccessKeyUse>>;
}

/** AWS: last uses are known with some delay. One write for all keys, not one for each request. */
const periodMs = 900_000;
const recordsMax = 500;

/** Keeps when access keys were last used, now and then and at the stop. */
export function keepAccessKeyUses(options: KeepAccessKeyUsesOptions): () => Promise<void> {
  const { records, clock, log, taken } = options;
  const flush = async (): Promise<void> => {
    const puts = [...(await taken())].map(([id, use]) => accessKeyUses.put(installation, id, use));
    for (let from = 0; from < puts.length; from += recordsMax) {
      // Decided again where another process wrote meanwhile: the latest word counts.
      await change(records, async () => ({ commands: puts.slice(from, from + recordsMax) }));
    }
  };
  const stop = repeat({ name: "keep-access-key-uses", clock, periodMs, log, run: flush });
  return async () => {
    await stop();
    await flush().catch((error: unknown) => {
      log.warn("last uses of access keys were not kept", { error: String(error) });
    });
  };
}
