/**
 * The test command: types, lint, then every test file. `full` adds the long matrix (more random
 * cases, more kill rounds). One command for people, for CI and for a release.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const mode = process.argv[2] ?? "quick";
if (mode !== "quick" && mode !== "full") {
  console.error(`scripts/test.ts: unknown mode ${mode}; use quick or full`);
  process.exit(2);
}

const long = mode === "full";
const environment = {
  ...process.env,
  ...(long ? { SEALPOST_TEST_LONG: "1", SEALPOST_TEST_RUNS: "10" } : {}),
  // Tests speak to servers of their own only; nothing of the caller's AWS set-up may leak in.
  AWS_PROFILE: "",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_EC2_METADATA_DISABLED: "true",
};

run("types", "node_modules/.bin/tsc", ["--noEmit"]);
run("lint", "node_modules/.bin/biome", ["check", "--error-on-warnings", "."]);
const files = globSync("tests/**/*.test.ts", { cwd: root }).sort();
run("tests", process.execPath, [...testFlags(), ...files]);

/** What is asked of both stores in every run; the long one asks it all. */
const core = ["sqs-messages", "sqs-fifo", "sns-publish", "sns-fifo", "kms-grants", "iam-users"];
const onPostgres = long
  ? globSync("tests/conformance/*.test.ts", { cwd: root }).sort()
  : [...core, "cloudtrail-lookup"].map((name) => `tests/conformance/${name}.test.ts`);
run("tests on PostgreSQL", process.execPath, [...testFlags(), ...onPostgres], {
  SEALPOST_TEST_STORE: "postgres",
});

/** Every request comes to either thread; the long run asks of two what it asks of one. */
const onThreads = long
  ? globSync("tests/{conformance,encryption,doctor}/*.test.ts", { cwd: root }).sort()
  : ["sqs-messages", "sns-publish", "kms-states"].map(
      (name) => `tests/conformance/${name}.test.ts`,
    );
run("tests with two gateway threads", process.execPath, [...testFlags(), ...onThreads], {
  SEALPOST_TEST_THREADS: "2",
});

function testFlags(): readonly string[] {
  const timeoutMs = long ? 1_800_000 : 240_000;
  const flags = ["--test-concurrency=2", `--test-timeout=${timeoutMs}`, "--test-reporter=spec"];
  return ["--test", ...flags];
}

function run(
  what: string,
  command: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): void {
  const start = performance.now();
  console.log(`\n▶ ${what}`);
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...environment, ...more },
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✔" : "✖"} ${what} (${seconds} s)`);
  if (status !== 0) process.exit(status ?? 1);
}
