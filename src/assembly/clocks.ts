import { shiftedClock } from "../clock/shifted.ts";
import { systemClock } from "../clock/system.ts";
import { type VirtualClock, virtualClock } from "../clock/virtual.ts";
import type { Settings } from "../config.ts";
import { isLoopbackHost } from "../gateway/addresses.ts";
import type { DataFolder } from "../gateway/data-folder.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Peers } from "../kernel/peers.ts";
import { StartError } from "./start-error.ts";

/** Service time ages what users see; system time judges signatures, certificates and waits. */
export interface Clocks {
  readonly service: Clock;
  readonly system: Clock;
  /** The service clock, if it is virtual. */
  readonly virtual: VirtualClock | undefined;
}

/** The machine's clock, or one that a test can move. */
export type SystemClockOf = typeof systemClock;

/** With a shared store the service clock is the database's: all processes agree on it. */
export function sharedClocks(clocks: Clocks, peers: Peers | undefined): Clocks {
  if (peers === undefined || clocks.virtual !== undefined) return clocks;
  return { ...clocks, service: shiftedClock(clocks.service, () => peers.clockOffsetMs()) };
}

/** Opens both clocks. A virtual one needs a loopback host: nobody else may depend on it. */
export function openClocks(
  folder: DataFolder,
  settings: Pick<Settings, "clock" | "host">,
  log: Log,
  scope: AsyncDisposableStack,
  systemClockOf: SystemClockOf = systemClock,
): Clocks {
  const onError = (error: unknown) => log.error("something that was due failed", { error });
  const system = systemClockOf(onError);
  if (settings.clock === "system") return { service: system, system, virtual: undefined };
  if (!isLoopbackHost(settings.host)) {
    throw new StartError(`--clock virtual needs a loopback --host, not ${settings.host}`);
  }
  const virtual = virtualClock({
    systemNow: () => system.now(),
    offsetMs: folder.clockOffsetMs,
    saveOffset: (offsetMs) => folder.saveClockOffset(offsetMs),
    onError,
  });
  scope.defer(() => virtual.close());
  return { service: virtual, system, virtual };
}
