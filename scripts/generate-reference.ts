/**
 * Writes docs/reference/ from what the code says of itself: operations with their state, errors by
 * service, settings. `--check` only compares and exits 1 when a page is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationPage } from "./reference/configuration.ts";
import { errorsPage } from "./reference/errors.ts";
import { operationsPage } from "./reference/operations.ts";

const folder = fileURLToPath(new URL("../docs/reference/", import.meta.url));
const pages = new Map([
  ["operations.md", operationsPage()],
  ["errors.md", errorsPage()],
  ["configuration.md", configurationPage()],
]);
const check = process.argv.includes("--check");
mkdirSync(folder, { recursive: true });
const stale = [...pages].filter(([name, text]) => read(folder + name) !== text);
if (!check) for (const [name, text] of stale) writeFileSync(folder + name, text);
for (const [name] of stale) console.log(`${check ? "stale" : "wrote"} docs/reference/${name}`);
if (check && stale.length > 0) process.exit(1);

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
