// Goal: what the operating system refuses is told with what to do about it, never as a stack.
// Method: let it refuse, and run the command.
import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { explainSystemError } from "../../src/cli/system-errors.ts";
import { makeFolder } from "../../src/gateway/files.ts";
import { Fault } from "../../src/kernel/errors.ts";
import { temporaryFolder } from "../gateway/support.ts";
import { run } from "./support.ts";

test("a data folder that is a file, or lies below one", async (t) => {
  const workingDirectory = temporaryFolder(t);
  const file = join(workingDirectory, "file");
  writeFileSync(file, "");
  for (const data of [file, join(file, "below")]) {
    const { code, err } = await run(["env", "--data", data], { workingDirectory });
    assert.equal(code, 1);
    assert.match(err, /^sealpost: /);
    assert.doesNotMatch(err, /\n {4}at /, "no stack");
  }
});

test("a place that takes no folders", { skip: !existsSync("/proc/self") && "no /proc" }, () => {
  assert.throws(
    () => makeFolder("/proc/sealpost/data"),
    (error) => /--data$/.test(explainSystemError(error) ?? ""),
  );
});

test("a folder is made with those above it, for its owner alone", (t) => {
  const path = join(temporaryFolder(t), "one/two");
  makeFolder(path);
  makeFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

test("an address of another machine", async () => {
  const server = createServer();
  const error = await new Promise((resolve) => {
    server.once("error", resolve).listen(0, "192.0.2.1");
  });
  assert.match(explainSystemError(error) ?? "", /choose another with --host/);
});

test("each kind of refusal says what to do; other errors are not touched", () => {
  const refusal = (code: string, more: object = {}) =>
    explainSystemError(Object.assign(new Error(`${code}: refused`), { code, ...more })) ?? "";
  assert.match(refusal("EACCES", { path: "/d" }), /^\/d belongs to another user .*--data$/);
  assert.match(refusal("EACCES", { syscall: "listen" }), /below 1024 .*--port$/);
  assert.match(refusal("ENOSPC"), /^no space is left for the data folder: make room .*--data$/);
  assert.match(refusal("EROFS", { path: "/d" }), /read-only/);
  assert.match(refusal("EMFILE"), /ulimit -n/);
  const full = new Fault("disk-full", "the disk is full");
  assert.match(explainSystemError(full) ?? "", /make room for the data folder/);
  assert.equal(refusal("ERR_ASSERTION"), "");
  assert.equal(explainSystemError(new Error("EACCES")), undefined);
});

test("help fits 80 columns, but for words that are longer", async (t) => {
  const { out } = await run(["serve", "--help"], { workingDirectory: temporaryFolder(t) });
  const long = out.split("\n").filter((line) => line.length > 80);
  assert.deepEqual(
    long.filter((line) => /\S\s+\S.*\s/.test(line.trim())),
    [],
  );
});

test("what was not understood is answered with the verb's own help", async (t) => {
  const { code, err } = await run(["clock", "advance"], { workingDirectory: temporaryFolder(t) });
  assert.equal(code, 2);
  assert.match(err, /\(sealpost clock advance --help shows what there is\)/);
});
