/**
 * Makes a release: `node scripts/release.ts 1.2.3`. It refuses without notes in CHANGELOG.md, with
 * another version or no repository in package.json, with uncommitted changes, or with a tag that
 * exists; then it tests, packs, writes the bill of materials and the notes into `release/`, and
 * tags. Publishing is left to the pipeline (`npm publish --provenance` of the tarball), which alone
 * has the right. `--check` stops before the tests.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkVersion, notesOf, ReleaseError } from "./release/notes.ts";
import { billOfMaterials } from "./release/sbom.ts";

const root = process.cwd();
const read = (name: string) => readFileSync(join(root, name), "utf8");

try {
  release(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error;
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}

function release(args: readonly string[]): void {
  const [version, ...others] = args.filter((arg) => arg !== "--check");
  if (version === undefined || others.length > 0) {
    throw new ReleaseError("usage: node scripts/release.ts VERSION [--check]");
  }
  checkVersion(version);
  const notes = notesOf(read("CHANGELOG.md"), version);
  const manifest = JSON.parse(read("package.json"));
  if (manifest.version !== version) {
    throw new ReleaseError(`package.json says ${manifest.version}: set it to ${version} first`);
  }
  const lock = JSON.parse(read("package-lock.json"));
  if (lock.version !== version) {
    throw new ReleaseError(`package-lock.json says ${lock.version}: set it to ${version} first`);
  }
  if (!manifest.repository?.url) {
    throw new ReleaseError(
      "package.json has no repository.url, which provenance is checked against: set it first",
    );
  }
  if (git("status", "--porcelain", "--untracked-files=no") !== "") {
    throw new ReleaseError("there are uncommitted changes");
  }
  if (git("tag", "--list", `v${version}`) !== "") {
    throw new ReleaseError(`the tag v${version} exists already`);
  }
  console.log(`${version} can be released:\n\n${notes}\n`);
  if (args.includes("--check")) return;

  const folder = join(root, "release");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  run("npm", ["ci"]);
  run("npm", ["test"]);
  run("npm", ["pack", "--pack-destination", folder]);
  const bill = billOfMaterials(lock, manifest.license);
  writeFileSync(join(folder, `sealpost-${version}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);
  writeFileSync(join(folder, "notes.md"), `${notes}\n`);
  run("git", ["tag", "--annotate", `v${version}`, "--message", `Sealpost ${version}`]);
  console.log(`release/ holds the tarball, its bill of materials and the notes. Then, in the pipeline:
  git push origin v${version}
  npm publish --provenance --access public release/sealpost-${version}.tgz`);
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { cwd: root, stdio: "inherit" });
}
