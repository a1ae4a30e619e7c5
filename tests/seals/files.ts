import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Files of a folder in which these bytes are found. */
export function filesHolding(folder: string, bytes: Uint8Array): string[] {
  return globSync("**/*", { cwd: folder }).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(bytes);
  });
}
