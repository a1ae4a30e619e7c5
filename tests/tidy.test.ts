// Goal: the house keeps its rules. Method: read the sources as text; check imports against the
// table of the architecture, and sizes against the guide values. Exceptions are named here.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const linesMax = 300;
const columnsMax = 100;

/** What a folder of src/ may import from src/, besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  crypto: ["kernel"],
  wire: ["kernel"],
  auth: ["kernel", "crypto"],
  backup: ["kernel", "crypto"],
  seals: ["kernel", "crypto"],
  keys: ["kernel", "crypto", "seals"],
  state: ["kernel", "crypto"],
  sealing: ["kernel", "crypto"],
  audit: ["kernel", "services/cloudtrail/store", "services/cloudtrail/choice"],
  signing: ["kernel", "crypto"],
  clock: ["kernel"],
  threads: ["kernel"],
  services: ["kernel", "auth/policy"],
  stores: [
    "kernel",
    "crypto/chain",
    "crypto/envelope",
    "crypto/late-seal",
    "sealing/store",
    "services/*/store",
    "services/sns/topic-store",
    "services/cloudtrail/store-batches",
    "services/cloudtrail/packed-records",
  ],
  doctor: ["kernel", "auth/policy", "services/*"],
  costs: ["kernel", "doctor", "services/*"],
  trails: ["kernel", "crypto", "auth/signing-keys", "services/cloudtrail"],
  workers: ["kernel", "services/*", "sealing/store", "trails/pruned"],
  gateway: ["kernel", "wire", "auth", "crypto"],
  cli: ["*"],
  "main.ts": ["*"],
  assembly: ["*"],
  testing: ["*"],
  delivery: ["kernel", "auth", "gateway/addresses", "services/sns/ports"],
  "config.ts": [
    "seals/flags",
    "kernel",
    "gateway/addresses",
    "delivery",
    "config-audit",
    "config-endpoints",
  ],
  "config-audit.ts": [],
  "config-endpoints.ts": [],
};

/** Node modules with effects, and who may have them. Pure folders get crypto and buffers only. */
const pureFolders = [
  ...[
    "kernel",
    "crypto",
    "wire",
    "auth",
    "services",
    "state",
    "sealing",
    "audit",
    "doctor",
    "backup",
  ],
];
const pureModules = ["node:crypto", "node:buffer", "node:util", "node:net", "node:zlib"];

/** Effects in pure folders that have a reason. */
const withReason = new Set([
  // The models are data of the package; reading one when it is first needed keeps start-up short.
  "src/wire/service.ts imports node:fs",
]);

const sources = globSync("src/**/*.ts", { cwd: root }).sort();

test("there are sources to check", () => assert.ok(sources.length > 50));

test("imports follow the table of ARCHITECTURE.md", () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((to) => !allowed(file, to))
      .map((to) => `${file} -> ${to}`),
  );
  assert.deepEqual(wrong, []);
});

test("the import rule can fail", () => {
  assert.equal(allowed("src/kernel/a.ts", "src/wire/b.ts"), false);
  assert.equal(allowed("src/services/sns/a.ts", "src/services/sqs/b.ts"), false);
  assert.equal(allowed("src/gateway/a.ts", "src/services/sqs/b.ts"), false);
  assert.equal(allowed("src/services/sqs/a.ts", "src/kernel/b.ts"), true);
});

test("pure folders import no module with effects", () => {
  const wrong = sources
    .filter((file) => pureFolders.includes(folderOf(file)))
    .flatMap((file) =>
      modulesOf(file)
        .filter((name) => name.startsWith("node:") && !pureModules.includes(name))
        .map((name) => `${file} imports ${name}`),
    )
    .filter((found) => !withReason.has(found));
  assert.deepEqual(wrong, []);
});

test("no clock, environment or randomness is read in place", () => {
  const banned = /\bDate\.now\(|new Date\(\)|Math\.random\(|process\.env\b/;
  const allowedFiles = new Set(["src/config.ts", "src/clock/system.ts"]);
  const wrong = sources
    .filter((file) => !allowedFiles.has(file) && !file.startsWith("src/cli/"))
    .flatMap((file) => linesMatching(file, banned));
  assert.deepEqual(wrong, []);
});

test(`files have at most ${linesMax} lines and lines at most ${columnsMax} columns`, () => {
  const wrong = [...sources, ...globSync("{tests,scripts,bench}/**/*.ts", { cwd: root })].flatMap(
    (file) => {
      const lines = read(file).split("\n");
      const long = lines.findIndex(
        (line) => line.length > columnsMax && !/https?:|["'`/]/.test(line),
      );
      return [
        ...(lines.length > linesMax + 1 && !file.startsWith("tests/")
          ? [`${file}: ${lines.length} lines`]
          : []),
        ...(long >= 0 ? [`${file}:${long + 1}: ${lines[long]?.length} columns`] : []),
      ];
    },
  );
  assert.deepEqual(wrong, []);
});

test("no default exports, enums, or class hierarchies but errors", () => {
  const banned = /^export default|^\s*(export )?(const )?enum |class \w+ extends (?!Error\b)/;
  assert.deepEqual(
    sources.flatMap((file) => linesMatching(file, banned)),
    [],
  );
});

function importsOf(file: string): string[] {
  return modulesOf(file)
    .filter((name) => name.startsWith("."))
    .map((name) => path.posix.normalize(path.posix.join(path.posix.dirname(file), name)));
}

function modulesOf(file: string): string[] {
  return [...read(file).matchAll(/(?:from|import|import\()\s*"([^"]+)"/g)].map((m) => m[1] ?? "");
}

function folderOf(file: string): string {
  return file.split("/")[1] ?? "";
}

function allowed(from: string, to: string): boolean {
  if (!to.startsWith("src/"))
    return (to.startsWith("models/") && folderOf(from) === "wire") || /package\.json$/.test(to);
  const rules = mayImport[folderOf(from)];
  assert.ok(rules, `no import rule for ${from}`);
  const target = to.slice("src/".length).replace(/\.ts$/, "");
  if (folderOf(from) === folderOf(to)) {
    const service = (file: string) => file.split("/")[2];
    return folderOf(from) !== "services" || service(from) === service(to);
  }
  return rules.some((rule) => rule === "*" || matches(rule, target));
}

/** `services/*` + `/store` style rules: a star stands for one segment, the rest is a prefix. */
function matches(rule: string, target: string): boolean {
  const wanted = rule.split("/");
  const got = target.split("/");
  return wanted.every((segment, i) => segment === "*" || segment === got[i]);
}

function linesMatching(file: string, pattern: RegExp): string[] {
  return read(file)
    .split("\n")
    .map((line, i) => ({ line, place: `${file}:${i + 1}` }))
    .filter(({ line }) => pattern.test(line) && !/^\s*(\*|\/\/)/.test(line))
    .map(({ line, place }) => `${place}: ${line.trim()}`);
}

function read(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}
