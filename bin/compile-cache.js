// Plain JavaScript on purpose: it is loaded before anything that has to be compiled.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Folder where Node keeps our compiled code, so that starts take half the time and less memory:
 * beside the installation if it is ours, else in the user's cache folder. Never Node's default in
 * the shared temporary folder: what another user put there would be run. undefined: there is none.
 */
export function compileCacheFolder() {
  const installation = nodeModules();
  const places = [
    ...(isOurs(installation) ? [join(installation, ".cache/sealpost")] : []),
    join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sealpost/compiled"),
  ];
  return places.find(isUsable);
}

/** A clone's own; for an installed package the one that it lies in. */
function nodeModules() {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  if (existsSync(join(root, "src"))) return join(root, "node_modules");
  const above = dirname(root);
  return basename(above) === "node_modules" ? above : root;
}

function isOurs(folder) {
  try {
    return statSync(folder).uid === (process.getuid?.() ?? 0);
  } catch {
    return false;
  }
}

function isUsable(folder) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Windows tells no owner and no mode; there the folders above decide.
    const othersMayWrite = process.getuid !== undefined && (statSync(folder).mode & 0o022) !== 0;
    return isOurs(folder) && !othersMayWrite;
  } catch {
    return false;
  }
}
