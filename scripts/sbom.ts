/** Prints the bill of materials of the published package: `node scripts/sbom.ts > sealpost.cdx.json` */
import { readFileSync } from "node:fs";
import { billOfMaterials } from "./release/sbom.ts";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

const bill = billOfMaterials(read("package-lock.json"), read("package.json").license);
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
