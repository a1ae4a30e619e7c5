import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseDurationSeconds } from "../../src/cli/duration.ts";
import type { Settings } from "../../src/config.ts";
import { signalled, temporaryFolder } from "../gateway/support.ts";
import { run } from "./support.ts";

// Goal: each command line ends with the promised exit code and says what a person needs.
// Method: the command runs inside the test with its own streams, signals and server.

const never = new Promise<Error>(() => {});

test("exit codes and hints", async (t) => {
  const workingDirectory = temporaryFolder(t);
  const cases: [string, number, RegExp][] = [
    ["--help", 0, /serve[\s\S]*clock[\s\S]*verify-trail/],
    ["--version", 0, /^9\.9\.9\n$/],
    [
      "serve --help",
      0,
      /--allow-insecure-sse[\s\S]*--data-key-authorization[\s\S]*?\(default cached;/,
    ],
    ["env --help", 0, /--services/],
    ["clock advance --help", 0, /<duration>/],
    ["doctor --help", 0, /path[\s\S]*sources[\s\S]*revoke[\s\S]*store/],
    ["doctor path", 2, /--topic <ARN>.*not specified/],
    ["doctor path --topic x", 1, /no server runs/],
    ["doctor nonsense", 2, /unknown command 'nonsense'/],
    ["doctor store --flag", 2, /unknown option/],
    ["doctor store", 1, /--store postgres/],
    ["", 2, /Usage/],
    ["serv", 2, /Did you mean serve\?/],
    ["nonsense", 2, /unknown command 'nonsense'/],
    ["serve --prot 1", 2, /Did you mean --port\?/],
    ["serve --port", 2, /argument missing/],
    ["serve extra", 2, /too many arguments/],
    ["serve --threads 0", 2, /whole number from 1 to 16/],
    ["serve --threads 17", 2, /whole number from 1 to 16/],
    ["serve --threads 2 --store postgres://db/x", 2, /start more server processes instead/],
    ["serve --threads 2 --preset localstack", 2, /no use under --preset localstack/],
    ["serve --no-public", 2, /--no-public needs a --vpc-endpoint/],
    ["serve --host 0.0.0.0", 2, /--seal-file/],
    ["env --format xml", 2, /shell, json/],
    ["env", 1, /no server runs on the data folder .*sealpost serve --data/],
    ["clock show", 1, /no server runs/],
    ["clock advance 5q", 2, /Write 300s/],
    ["clock advance -5", 2, /Write 300s/],
    ["demo", 7, /^$/],
    ["store", 2, /compact/],
    ["store compact --format x", 2, /text, json/],
  ];
  for (const [line, code, text] of cases) {
    const argv = line === "" ? [] : line.split(" ");
    const result = await run(argv, { workingDirectory });
    assert.equal(result.code, code, `sealpost ${line}: ${result.err}`);
    assert.match(result.out + result.err, text, `sealpost ${line}`);
  }
});

test("serve reads flags, environment and file, shows where everything is, and stops", async (t) => {
  const workingDirectory = temporaryFolder(t);
  const config = { region: "eu-west-1", port: 5, logLevel: "warn" };
  writeFileSync(join(workingDirectory, "sealpost.config.json"), JSON.stringify(config));
  const started = signalled<Settings>();
  let signal = (): void => {};
  let stops = 0;
  const running = run(
    ["serve", "--port", "7", "--tls-name", "a.example", "--tls-name", "b.example"],
    {
      workingDirectory,
      environment: { SEALPOST_PORT: "6", SEALPOST_LOG_LEVEL: "error", SEALPOST_CLOCK: "virtual" },
      start: async (settings) => {
        started.resolve(settings);
        const stop = async () => {
          stops++;
        };
        return { httpsUrl: "https://127.0.0.1:7", httpUrl: undefined, failed: never, stop };
      },
      io: {
        onStopSignal(listener) {
          signal = listener;
          return () => {};
        },
      },
    },
  );
  const settings = await started.promise;
  assert.equal(settings.port, 7);
  assert.equal(settings.logLevel, "error");
  assert.equal(settings.region, "eu-west-1");
  assert.deepEqual(settings.tlsName, ["a.example", "b.example"]);
  signal();
  const { code, out } = await running;
  assert.equal(code, 0);
  assert.equal(stops, 1);
  for (const text of [
    "https://127.0.0.1:7",
    "credentials",
    "virtual",
    'eval "$(npx sealpost env',
  ]) {
    assert.ok(out.includes(text), text);
  }
});

test("a start that fails is explained with exit code 1", async (t) => {
  const { code, err } = await run(["serve"], {
    workingDirectory: temporaryFolder(t),
    start: async () => {
      throw new Error("port 4566 on 127.0.0.1 is in use");
    },
  });
  assert.equal(code, 1);
  assert.equal(err, "sealpost: port 4566 on 127.0.0.1 is in use\n");
});

test("a server that can go on no longer is stopped, with exit code 1", async (t) => {
  let stops = 0;
  const { code, err } = await run(["serve"], {
    workingDirectory: temporaryFolder(t),
    start: async () => ({
      httpsUrl: "https://x",
      httpUrl: undefined,
      failed: Promise.resolve(new Error("the store is gone")),
      stop: async () => {
        stops++;
      },
    }),
  });
  assert.deepEqual([code, stops], [1, 1]);
  assert.match(err, /cannot go on: the store is gone/);
});

test("a second signal ends the process at once", async (t) => {
  const stopping = signalled();
  const exited = signalled<number>();
  let signal = (): void => {};
  const finish = signalled();
  const running = run(["serve"], {
    workingDirectory: temporaryFolder(t),
    start: async () => ({
      httpsUrl: "https://x",
      httpUrl: undefined,
      failed: never,
      stop: () => {
        stopping.resolve();
        return finish.promise;
      },
    }),
    io: {
      exit: exited.resolve,
      onStopSignal(listener) {
        signal = listener;
        return () => {};
      },
    },
  });
  signal();
  await stopping.promise;
  signal();
  assert.equal(await exited.promise, 130);
  finish.resolve();
  await running;
});

test("durations", () => {
  for (const [text, seconds] of Object.entries({
    "300": 300,
    "300s": 300,
    "5m": 300,
    "2h": 7200,
    "4d": 345_600,
    "1w": 604_800,
    "10y": 315_360_000,
  })) {
    assert.equal(parseDurationSeconds(text), seconds, text);
  }
  for (const text of ["", "m", "5 m", "-5m", "1.5h", "5M"]) {
    assert.throws(() => parseDurationSeconds(text), { code: "commander.invalidArgument" });
  }
});

test("the command itself ends with the code of its verb", () => {
  const bin = new URL("../../bin/sealpost.js", import.meta.url).pathname;
  const command = (...argv: string[]) => spawnSync(process.execPath, [bin, ...argv]);
  assert.equal(command("--version").status, 0);
  assert.equal(command("nonsense").status, 2);
});
