import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type ChildServer, newDataFolder, removeFolder, startChild } from "../durability/child.ts";

/** Server processes on one shared store, as users run them. */
export interface Servers {
  /** Those that run now. */
  readonly all: readonly ChildServer[];
  /** kill -9 of one of them, and its start on the same data folder. */
  killAndStart(index: number): Promise<void>;
}

/** Each has a data folder of its own; the root key is the same file's copy. */
export async function startServers(
  t: TestContext,
  store: string,
  count: number,
  flags: readonly string[] = [],
): Promise<Servers> {
  const folders = Array.from({ length: count }, () => newDataFolder());
  const all: ChildServer[] = [];
  t.after(async () => {
    await Promise.all(all.map((server) => server.kill()));
    for (const folder of folders) removeFolder(folder);
  });
  const [first = ""] = folders;
  for (const folder of folders) {
    if (folder !== first) shareKey(first, folder);
    all.push(await startOn(folder, store, flags));
  }
  return {
    all,
    async killAndStart(index) {
      const folder = folders[index];
      const server = all[index];
      if (!folder || !server) throw new Error(`there is no server ${index}`);
      await server.kill();
      all[index] = await startOn(folder, store, flags);
    },
  };
}

/** What an operator does by hand: the root key, and the credentials for who works there. */
export function shareKey(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of ["root.key", "credentials"]) copyFileSync(join(from, name), join(to, name));
}

function startOn(folder: string, store: string, flags: readonly string[]): Promise<ChildServer> {
  return startChild(folder, ["--store", store, "--log-level", "warn", ...flags]);
}
