import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildModel } from "./models/build.ts";
import { previousDescriptions, readDescriptions } from "./models/descriptions.ts";
import { printModel } from "./models/print.ts";
import { loadPackage, serviceSources } from "./models/services.ts";

/**
 * Writes `models/*.json` from the schemas inside the installed SDK packages, joined with the
 * constraints of the public service descriptions (botocore's data folder).
 *
 *   npm run models -- --descriptions DIR   constraints from DIR/<service>/<version>/service-2.json
 *   npm run models                         constraints as they are in models/ now
 *   npm run models -- --check              writes nothing; exit 1 if a file would change
 */
const { values } = parseArgs({
  options: { descriptions: { type: "string" }, check: { type: "boolean", default: false } },
});

let changed = 0;
for (const source of serviceSources) {
  const file = fileURLToPath(new URL(`../models/${source.name}.json`, import.meta.url));
  const descriptions =
    values.descriptions === undefined
      ? previousDescriptions(file)
      : readDescriptions(values.descriptions, source.name, source.version);
  const text = printModel(buildModel(source, loadPackage(source), descriptions));
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  changed += 1;
  console.log(`models/${source.name}.json ${values.check ? "is out of date" : "written"}`);
  if (!values.check) writeFileSync(file, text);
}
if (changed === 0) console.log("models are up to date");
if (values.check && changed > 0) process.exitCode = 1;
