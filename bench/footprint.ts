import { join } from "node:path";
import { treeCpuSeconds, treeResidentBytes } from "./processes.ts";
import { pause, startServer } from "./server.ts";

/** What the server takes of a machine before anybody asks it anything. */
export interface Footprint {
  readonly firstStartSeconds: readonly number[];
  readonly laterStartSeconds: readonly number[];
  /** The server, and with the key process. */
  readonly idleBytes: number;
  readonly idleTreeBytes: number;
}

/** Starts new installations, and each of them again; the last one is looked at when idle. */
export async function measureFootprint(
  folder: string,
  starts: number,
  settleMs: number,
): Promise<Footprint> {
  const firstStartSeconds: number[] = [];
  const laterStartSeconds: number[] = [];
  let sizes: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    const data = join(folder, `start-${start}`);
    const first = await startServer(data);
    firstStartSeconds.push(first.readySeconds);
    await first.stop();
    const later = await startServer(data);
    laterStartSeconds.push(later.readySeconds);
    if (start === starts - 1) {
      await pause(settleMs);
      sizes = treeResidentBytes(later.pid);
    }
    await later.stop();
  }
  return {
    firstStartSeconds,
    laterStartSeconds,
    idleBytes: sizes[0] ?? 0,
    idleTreeBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** Share of a core that an idle server uses. */
export async function idleShare(pid: number, milliseconds: number): Promise<number> {
  const before = treeCpuSeconds(pid);
  const start = performance.now();
  await pause(milliseconds);
  return (treeCpuSeconds(pid) - before) / ((performance.now() - start) / 1000);
}
