// Goal: the checked-in models are what the generator makes of the installed SDK packages. Method:
// generate anew with the constraints of the checked-in files and compare bytes; then show that a
// changed file is noticed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { buildModel } from "../../scripts/models/build.ts";
import { previousDescriptions } from "../../scripts/models/descriptions.ts";
import { printModel } from "../../scripts/models/print.ts";
import { loadPackage, serviceSources } from "../../scripts/models/services.ts";

for (const source of serviceSources) {
  it(`models/${source.name}.json is up to date`, () => {
    const file = fileURLToPath(new URL(`../../models/${source.name}.json`, import.meta.url));
    const packaged = loadPackage(source);
    const text = printModel(buildModel(source, packaged, previousDescriptions(file)));
    assert.equal(text === readFileSync(file, "utf8"), true, "run npm run models");
    // The twin: one operation fewer in the package is another text.
    const dropped = Object.keys(packaged).find((name) => {
      const value = packaged[name];
      return Array.isArray(value) && value[0] === 9;
    });
    const less = Object.fromEntries(Object.entries(packaged).filter(([name]) => name !== dropped));
    assert.notEqual(printModel(buildModel(source, less, previousDescriptions(file))), text);
  });
}
