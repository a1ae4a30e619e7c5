/**
 * `strip` before `npm pack`, `restore` after it: the published package does not bring a Node of its
 * own. A clone's package.json names the platform packages so that npm scripts run Node 26.
 */
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const manifest = fileURLToPath(new URL("../package.json", import.meta.url));
const kept = `${manifest}.kept`;

if (process.argv[2] === "strip") {
  copyFileSync(manifest, kept);
  const { devDependencies: _, ...published } = JSON.parse(readFileSync(manifest, "utf8"));
  const optional = Object.entries(published.optionalDependencies ?? {});
  published.optionalDependencies = Object.fromEntries(
    optional.filter(([name]) => !name.startsWith("node-")),
  );
  published.engines = { node: ">=26" };
  delete published.scripts;
  // A condition of clones, whose sources are not published.
  delete published.exports["./testing"]["sealpost-source"];
  writeFileSync(manifest, `${JSON.stringify(published, null, 2)}\n`);
} else if (process.argv[2] === "restore") {
  renameSync(kept, manifest);
} else {
  console.error("usage: node scripts/package-manifest.ts strip|restore");
  process.exit(2);
}
