import type { Settings } from "../config.ts";
import { systemRandom } from "../crypto/random.ts";
import { openTargets, reachThrough } from "../delivery/open-targets.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { silentLog } from "../kernel/log.ts";
import type { AnchoredHead } from "../trails/history.ts";
import { createSealing } from "../trails/sealing.ts";
import { ensureOwnedKey } from "./bootstrap.ts";
import { openState, stateOptions } from "./state.ts";
import { openTrailStorage, type VerifyReport, verifyAudit } from "./trails.ts";

/**
 * Checks the audit of a data folder that no server holds. Throws a Fault of the store or the key
 * process with a text for people (`store-busy` if a server holds it).
 */
export async function verifyStopped(
  settings: Settings,
  anchors: readonly AnchoredHead[],
  now: () => EpochMs,
): Promise<VerifyReport> {
  await using scope = new AsyncDisposableStack();
  const dataFolder = settings.data;
  const state = await openState(stateOptions(settings, silentLog), scope);
  const { records, keys } = state;
  const rules = { allow: settings.deliveryAllow, allowPrivate: settings.allowPrivateEndpoints };
  const reach = reachThrough(openTargets(rules, () => []));
  const { objects } = openTrailStorage({ ...settings, dataFolder, reach, now });
  const nothing = (): never => {
    throw new Error("nothing is sealed while the server is stopped");
  };
  const sealing = createSealing({
    vault: keys,
    owned: await ensureOwnedKey(records, keys, systemRandom, "trails"),
    invoke: nothing,
    runAs: nothing,
    random: systemRandom,
    plain: false,
  });
  // Awaited here: the folder stays open until it is checked.
  return await verifyAudit(state, objects, sealing, anchors);
}
