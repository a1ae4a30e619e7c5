import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/**
 * What a thread is told by its environment: where the process keeps compiled code, since threads do
 * not inherit that by themselves and would compile, or strip types, anew at every start.
 */
export function threadEnvironment(): Record<string, string> {
  // Node names the folder for its own version in the one it was given.
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
