/** `npm run bench`: floors, peers and ours in one run; `npm run bench -- --help` tells the rest. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { verdict } from "./goals.ts";
import { type Asked, help, type Options, readOptions } from "./options.ts";
import { allNames } from "./placeholders.ts";
import { page } from "./report/page.ts";
import { goalLines, loadLine, table } from "./report/table.ts";
import type { Results } from "./results.ts";
import { runSuite } from "./suite.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const reportFile = join(here, "report.html");

async function main(): Promise<void> {
  const asked = understood(process.argv.slice(2));
  if (asked === undefined) process.exitCode = 2;
  else if (asked.help) process.stdout.write(help);
  else if (asked.list) console.log(allNames(asked.options).join("\n"));
  else if (asked.report) draw(JSON.parse(readFileSync(asked.report, "utf8")));
  else keep(await measure(asked.options));
}

/** undefined: the flags are wrong, and the user was told how. */
function understood(args: readonly string[]): Asked | undefined {
  try {
    return readOptions(args, tmpdir());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${why}\nnpm run bench -- --help tells what there is.\n`);
    return undefined;
  }
}

/** In a folder of its own inside the one asked for: an earlier run leaves nothing in its way. */
async function measure(options: Options): Promise<Results> {
  mkdirSync(options.folder, { recursive: true });
  const folder = mkdtempSync(join(options.folder, "sealpost-bench-"));
  try {
    return await runSuite({ ...options, folder }, tell);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const start = performance.now();

function tell(text: string): void {
  const seconds = Math.round((performance.now() - start) / 1000);
  process.stderr.write(`${String(seconds).padStart(5)} s  ${text}\n`);
}

function keep(results: Results): void {
  mkdirSync(join(here, "results"), { recursive: true });
  const name = results.startedAt.replace(/[:.]/g, "-");
  const file = join(here, "results", `${name}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  console.log(table(results.rows));
  for (const absent of results.absent) console.log(absent);
  console.log(`generator: ${results.generator}; ${loadLine(results)}`);
  // Who asked for some rows wants to hear of these.
  const judged = results.goals.filter(
    (goal) => results.only === undefined || verdict(goal) !== "not measured",
  );
  console.log(`\n${goalLines(judged)}\n`);
  console.log(`all of it: ${file}`);
  draw(results);
}

function draw(results: Results): void {
  writeFileSync(reportFile, page(results));
  console.log(`to look at: ${reportFile}`);
}

await main();
