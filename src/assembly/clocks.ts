import { shiftedClock } from "../clock/shifted.ts";
import { steadyClock, systemClock } from "../clock/system.ts";
import { type VirtualClock, virtualClock } from "../clock/virtual.ts";
import type { Settings } from "../config.ts";
import { isLoopbackHost } from "../gateway/addresses.ts";
import type { DataFolder } from "../gateway/data-folder.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { StorePeers } from "../kernel/peers.ts";
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

/**
 * With a shared store the service clock is the database's: all processes agree on it, whatever the
 * clocks of their hosts say or are set to.
 */
export function sharedClocks(clocks: Clocks, peers: StorePeers | undefined, log: Log): Clocks {
  if (peers === undefined || clocks.virtual !== undefined) return clocks;
  const steady = steadyClock(reportTo(log));
  return { ...clocks, service: shiftedClock(steady, () => peers.clockOffsetMs()) };
}

function reportTo(log: Log): (error: unknown) => void {
  return (error) => log.error("something that was due failed", { error });
}

/** Opens both clocks. A virtual one needs a loopback host: nobody else may depend on it. */
export function openClocks(
  folder: DataFolder,
  settings: Pick<Settings, "clock" | "host">,
  log: Log,
  scope: AsyncDisposableStack,
  systemClockOf: SystemClockOf = systemClock,
  moved?: (offsetMs: number) => void,
): Clocks {
  const onError = reportTo(log);
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
    moved,
  });
  scope.defer(() => virtual.close());
  return { service: virtual, system, virtual };
}
