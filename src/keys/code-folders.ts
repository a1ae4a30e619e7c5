import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The libraries for signatures that Node does not make, by a module in each. */
const libraries = ["curves/utils", "post-quantum/utils", "hashes/utils"] as const;
const scope = "@noble";

/**
 * What the key process may read to run: its own code, and those libraries. Package managers link
 * packages from a common store, and the permission model judges the path that is asked for, not the
 * one where a link leads: so the folders where the runtime looks for a package are named too.
 */
export function codeFolders(entry: URL): string[] {
  const own = ["keys", "crypto", "seals", "kernel"].map((name) =>
    fileURLToPath(new URL(`../${name}/`, entry)),
  );
  const homes = libraries.map((name) =>
    fileURLToPath(new URL("./", import.meta.resolve(`${scope}/${name}.js`))),
  );
  const looks = [fileURLToPath(entry), ...homes].flatMap(lookedForIn);
  return [...new Set([...own, ...homes, ...looks])];
}

/** Where a module at this path finds packages of the scope. */
function lookedForIn(path: string): string[] {
  const folder = dirname(path);
  const above = folder === path ? [] : lookedForIn(folder);
  const packages = join(folder, "node_modules", scope, "/");
  return existsSync(packages) ? [packages, ...above] : above;
}
