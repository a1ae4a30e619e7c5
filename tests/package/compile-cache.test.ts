// Goal: compiled code is kept where no other user can put any, and threads use it as well. Method:
// ask the command's own function in installations made for it; ask a thread.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../gateway/support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** An installation in a folder of its own, and what the function says in it. */
function installation(t: TestContext, home: string, inPackage: string) {
  const folder = temporaryFolder(t);
  const place = join(folder, inPackage);
  cpSync(join(root, "bin/compile-cache.js"), join(place, "bin/compile-cache.js"));
  const script = `
    import { compileCacheFolder } from ${JSON.stringify(join(place, "bin/compile-cache.js"))};
    console.log(compileCacheFolder() ?? "none");`;
  return {
    folder,
    ask: () =>
      execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        encoding: "utf8",
        env: { HOME: home },
        cwd: folder,
      }).trim(),
  };
}

test("a clone keeps it in its node_modules, a package in the one that it lies in", (t) => {
  const clone = installation(t, "/nowhere", "clone");
  mkdirSync(join(clone.folder, "clone/src"));
  mkdirSync(join(clone.folder, "clone/node_modules"));
  assert.equal(clone.ask(), join(clone.folder, "clone/node_modules/.cache/sealpost"));
  assert.equal(statSync(clone.ask()).mode & 0o777, 0o700);
  const installed = installation(t, "/nowhere", "node_modules/sealpost");
  assert.equal(installed.ask(), join(installed.folder, "node_modules/.cache/sealpost"));
});

test("a folder that others may write is passed over; then the user's own; then none", (t) => {
  const home = temporaryFolder(t);
  const { folder, ask } = installation(t, home, "node_modules/sealpost");
  chmodSync(ask(), 0o777);
  const users = join(home, ".cache/sealpost/compiled");
  assert.equal(ask(), users);
  chmodSync(users, 0o770);
  assert.equal(ask(), "none");
  chmodSync(join(folder, "node_modules/.cache/sealpost"), 0o755);
  assert.equal(ask(), join(folder, "node_modules/.cache/sealpost"));
});

test("a thread keeps compiled code where its process does", (t) => {
  const folder = temporaryFolder(t);
  const helper = JSON.stringify(join(root, "src/stores/sqlite/thread-environment.ts"));
  const script = `
    import { enableCompileCache } from "node:module";
    import { Worker } from "node:worker_threads";
    import { threadEnvironment } from ${helper};
    const ask = "console.log(process.getBuiltinModule('node:module').getCompileCacheDir() ?? 'none')";
    console.log(Object.keys(threadEnvironment()).length);
    enableCompileCache(${JSON.stringify(folder)});
    const ended = (worker) => new Promise((resolve) => worker.once("exit", resolve));
    await ended(new Worker(ask, { eval: true, env: {} }));
    await ended(new Worker(ask, { eval: true, env: threadEnvironment() }));`;
  const args = ["--input-type=module", "-e", script];
  const env = { PATH: String(process.env.PATH) };
  const lines = execFileSync(process.execPath, args, { encoding: "utf8", env }).split("\n");
  assert.deepEqual(lines.slice(0, 2), ["0", "none"]);
  assert.ok(lines[2]?.startsWith(folder), String(lines[2]));
});
