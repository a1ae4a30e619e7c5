#!/usr/bin/env node
// Plain JavaScript on purpose: it must load on any Node so that an old one gets a clear answer.
import { existsSync } from "node:fs";
import module from "node:module";
import { compileCacheFolder } from "./compile-cache.js";

const nodeMajorMin = 26;
const major = Number(process.versions.node.split(".")[0]);
if (major < nodeMajorMin) {
  console.error(
    `sealpost needs Node ${nodeMajorMin} or newer; this is Node ${process.versions.node}. ` +
      `Run: npx -p node@${nodeMajorMin} -p sealpost sealpost ${process.argv.slice(2).join(" ")}`.trimEnd(),
  );
  process.exit(2);
}
const cache = compileCacheFolder();
if (cache !== undefined) module.enableCompileCache(cache);
const built = new URL("../dist/cli/main.js", import.meta.url);
const source = new URL("../src/cli/main.ts", import.meta.url);
// A clone runs its sources; the published package holds dist/ only.
const { main } = await import((existsSync(source) ? source : built).href);
await main(process.argv.slice(2));
