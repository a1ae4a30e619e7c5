// Goal: no release without notes, and a bill of materials that is true. Method: run the release
// script in small repositories made for it; compare the bill with the lock file and the packages.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { notesOf } from "../../scripts/release/notes.ts";
import { billOfMaterials } from "../../scripts/release/sbom.ts";
import { temporaryFolder } from "../gateway/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (name: string) => readFileSync(join(root, name), "utf8");

interface Repository {
  readonly changelog: string;
  readonly version?: string;
  readonly tag?: string;
  readonly change?: boolean;
  readonly repository?: object;
}

function check(t: TestContext, given: Repository) {
  const folder = temporaryFolder(t);
  const { changelog, version = "1.2.3", tag, change } = given;
  const { repository = { url: "git+https://example.com/x.git" } } = given;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: folder,
      stdio: "ignore",
    });
  writeFileSync(join(folder, "CHANGELOG.md"), changelog);
  for (const name of ["package.json", "package-lock.json"]) {
    writeFileSync(join(folder, name), JSON.stringify({ name: "x", version, repository }));
  }
  git("init");
  git("add", ".");
  git("commit", "-m", "first");
  if (tag) git("tag", tag);
  if (change) writeFileSync(join(folder, "CHANGELOG.md"), `${changelog}\nmore`);
  const args = [join(root, "scripts/release.ts"), "1.2.3", "--check"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const good = "# Changelog\n\n## 1.2.3 (2026-01-01)\n\n- queues sing\n\n## 1.2.2\n\n- old\n";

test("a release with notes may go on, and shows only its own", (t) => {
  const { status, stdout } = check(t, { changelog: good });
  assert.equal(status, 0);
  assert.match(stdout, /queues sing/);
  assert.doesNotMatch(stdout, /old/);
});

test("it refuses what is not ready, and says why", (t) => {
  const cases: readonly [Repository, RegExp][] = [
    [{ changelog: "# Changelog\n\n## Unreleased\n\n- new\n" }, /no heading `## 1\.2\.3`/],
    [{ changelog: "## 1.2.3\n\n### Added\n\n## 1.2.2\n\n- old\n" }, /says nothing about 1\.2\.3/],
    [{ changelog: good, version: "1.2.2" }, /package\.json says 1\.2\.2/],
    [{ changelog: good, repository: {} }, /no repository\.url/],
    [{ changelog: good, tag: "v1.2.3" }, /tag v1\.2\.3 exists/],
    [{ changelog: good, change: true }, /uncommitted changes/],
  ];
  for (const [repository, text] of cases) {
    const { status, stderr } = check(t, repository);
    assert.equal(status, 1, String(text));
    assert.match(stderr, text);
  }
});

test("headings of the usual forms are found", () => {
  for (const heading of [
    "## 1.2.3",
    "## [1.2.3]",
    "## v1.2.3 - 2026-01-01",
    "## [1.2.3] (today)",
  ]) {
    assert.equal(notesOf(`${heading}\n\n- it\n`, "1.2.3"), "- it");
  }
  assert.throws(() => notesOf("## 1.2.30\n\n- it\n", "1.2.3"), /no heading/);
});

const lock = JSON.parse(read("package-lock.json"));
const manifest = JSON.parse(read("package.json"));
interface Bill {
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly "bom-ref": string;
    readonly licenses?: readonly object[];
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

test("the bill names what is published, and only that", () => {
  const bill = billOfMaterials(lock, manifest.license) as Bill;
  const names = bill.components.map(({ name }) => name);
  for (const name of Object.keys(manifest.dependencies)) assert.ok(names.includes(name), name);
  assert.ok(names.includes("pkcs11js"), "optional, and published");
  for (const name of [
    ...Object.keys(manifest.devDependencies),
    ...Object.keys(manifest.optionalDependencies).filter((name) => name.startsWith("node-")),
  ]) {
    assert.equal(names.includes(name), false, name);
  }
  for (const { name, version, licenses, hashes } of bill.components) {
    assert.ok(version && licenses, name);
    assert.equal(hashes?.[0]?.alg, "SHA-512", name);
    assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/);
  }
});

test("every reference of the bill leads to one of its components", () => {
  const bill = billOfMaterials(lock, manifest.license) as Bill;
  const known = new Set([...bill.components.map((one) => one["bom-ref"])]);
  assert.equal(known.size, bill.components.length, "each once");
  for (const { dependsOn } of bill.dependencies) {
    for (const ref of dependsOn) assert.ok(known.has(ref), ref);
  }
  const reached = new Set<string>();
  const walk = (ref: string) => {
    for (const next of bill.dependencies.find((one) => one.ref === ref)?.dependsOn ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      walk(next);
    }
  };
  walk(`pkg:npm/sealpost@${lock.version}`);
  assert.deepEqual(
    [...known].filter((ref) => !reached.has(ref)),
    [],
    "nothing stands alone",
  );
});

test("the same lock file gives the same bill; another gives another", () => {
  const text = (of: typeof lock) => JSON.stringify(billOfMaterials(of, "Apache-2.0"));
  assert.equal(text(lock), text(lock));
  assert.notEqual(text(lock), text({ ...lock, version: "9.9.9" }));
});
