// Goal: `sealpost run` gives a command a server of its own and leaves nothing behind. Method: the
// real command with small shell commands; a temporary folder of the test's own shows what stays.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../gateway/support.ts";

const bin = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** What the run left in its temporary folder. */
  readonly left: readonly string[];
}

function start(t: TestContext, args: readonly string[]) {
  const temporary = temporaryFolder(t);
  const child = spawn(process.execPath, [bin, "run", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: temporaryFolder(t),
    env: { PATH: process.env.PATH, TMPDIR: temporary, AWS_PROFILE: "mine", NO_COLOR: "1" },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => {
    out += text;
  });
  child.stderr.on("data", (text: Buffer) => {
    err += text;
  });
  const ended = once(child, "close").then(
    ([code]): Ended => ({ code, out, err, left: foldersIn(temporary) }),
  );
  return { child, ended };
}

const run = (t: TestContext, ...args: string[]) => start(t, args).ended;

test("a command finds a server, and its exit code comes back", async (t) => {
  const script =
    'test -n "$AWS_ACCESS_KEY_ID" && test -z "$AWS_PROFILE" && test -f "$NODE_EXTRA_CA_CERTS" && ' +
    'echo "$AWS_ENDPOINT_URL $AWS_REGION" && exit 7';
  const { code, out, left } = await run(t, "--region", "eu-west-1", "--", "sh", "-c", script);
  assert.equal(code, 7);
  assert.match(out, /^https:\/\/127\.0\.0\.1:\d+ eu-west-1\n$/, "nothing but the command's output");
  assert.deepEqual(left, []);
});

test("the environment leads a client to a server that answers", async (t) => {
  const ask =
    'const url = process.env.AWS_ENDPOINT_URL + "/_sealpost/health";' +
    "console.log((await (await fetch(url)).json()).clock);";
  const node = [process.execPath, "--input-type=module", "-e", ask];
  const { code, out, err } = await run(t, "--clock", "virtual", "--", ...node);
  assert.equal(code, 0, err);
  assert.equal(out, "virtual\n");
});

test("the clock verbs of the command move the run's own server", async (t) => {
  const move = [process.execPath, bin, "clock", "advance", "5m"];
  const { code, out } = await run(t, "--clock", "virtual", "--", ...move);
  assert.equal(code, 0);
  assert.match(out, /virtual clock/);
});

test("a command that a signal ends gives 128 and the signal", async (t) => {
  const { code, left } = await run(t, "--", "sh", "-c", "kill -KILL $$");
  assert.equal(code, 137);
  assert.deepEqual(left, []);
});

for (const [signal, expected] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  test(`${signal} reaches the command, and everything ends`, async (t) => {
    const { child, ended } = start(t, ["--", "sh", "-c", "echo started; exec sleep 60"]);
    await once(child.stdout, "data");
    child.kill(signal);
    const { code, left } = await ended;
    assert.equal(code, expected);
    assert.deepEqual(left, []);
  });
}

test("a command that is not there", async (t) => {
  const { code, err, left } = await run(t, "--", "no-such-command-here");
  assert.equal(code, 127);
  assert.match(err, /no-such-command-here: command not found/);
  assert.deepEqual(left, []);
});

test("a server that cannot start: 1, the reason, and the command never runs", async (t) => {
  const cert = ["--tls-cert", "/nonexistent.pem", "--tls-key", "/nonexistent.pem"];
  const { code, out, err, left } = await run(t, ...cert, "--", "echo", "ran");
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(err, /^sealpost: .*nonexistent/m);
  assert.deepEqual(left, []);
});

test("what is not understood ends with 2 before anything is made", async (t) => {
  for (const args of [[], ["--data", "x", "--", "ls"], ["--no-such-flag", "--", "ls"]]) {
    const { code, err, left } = await run(t, ...args);
    assert.equal(code, 2, err);
    assert.deepEqual(left, []);
  }
});

test("flags behind the dashes are the command's", async (t) => {
  const { code, out } = await run(t, "--", "echo", "--data", "--", "--help");
  assert.equal(code, 0);
  assert.equal(out, "--data -- --help\n");
});

/** Node keeps compiled code in the temporary folder as well. */
function foldersIn(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => name.startsWith("sealpost-"));
}
