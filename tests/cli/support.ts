import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { writeCredentialsFile } from "../../src/cli/credentials-file.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { runCli } from "../../src/cli/main.ts";
import type { RunningServer } from "../../src/cli/serve.ts";
import type { Settings } from "../../src/config.ts";
import { adminHandler } from "../../src/gateway/admin.ts";
import { openPrivateCertificates } from "../../src/gateway/certificates.ts";
import { writeServerFile } from "../../src/gateway/server-file.ts";
import { silentLog } from "../../src/kernel/log.ts";
import { random, secretBox, temporaryFolder, testGateway } from "../gateway/support.ts";

export const credentials = {
  accessKeyId: "AKIATESTTESTTEST",
  secretAccessKey: "secret/with+signs= 'q'",
};

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly workingDirectory: string;
  readonly environment?: Record<string, string>;
  readonly start?: (settings: Settings) => Promise<RunningServer>;
  readonly io?: Partial<CliIo>;
}

export async function run(argv: readonly string[], options: RunOptions): Promise<Run> {
  let out = "";
  let err = "";
  const io: CliIo = {
    environment: options.environment ?? {},
    workingDirectory: options.workingDirectory,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    now: () => Date.UTC(2026, 0, 2),
    onStopSignal: () => () => {},
    exit: (code) => assert.fail(`exit ${code}`),
    isAlive: () => true,
    ...options.io,
  };
  const start = options.start ?? (() => assert.fail("nothing should start"));
  const code = await runCli(argv, io, {
    version: "9.9.9",
    loadStart: async () => start,
    demo: async () => 7,
  });
  return { code, out, err };
}

/** A folder as a running server has it, and a gateway that answers for it. */
export async function runningServer(t: TestContext, path = "/_sealpost/clock") {
  const folder = temporaryFolder(t);
  const never = { now: () => Date.now(), at: () => () => {} };
  const source = openPrivateCertificates({
    folder,
    secrets: secretBox,
    clock: never,
    random,
    hostName: "h",
    tlsNames: [],
    log: silentLog,
  });
  const asked: { input: unknown; authorization: string }[] = [];
  let authorization = "";
  const { port } = await testGateway(t, {
    tls: source.material(),
    handler: adminHandler({
      routes: (["GET", "POST"] as const).map((method) => ({
        method,
        path,
        action: "sealpost:Test" as const,
        handle(input) {
          asked.push({ input, authorization });
          return { json: { clock: "virtual", now: "2026-01-01T00:05:00.000Z" } };
        },
      })),
      guard: {
        async authorise(exchange) {
          authorization = String(exchange.headers.get("authorization"));
        },
      },
      allowInsecureSecrets: false,
      log: silentLog,
    }) as never,
  });
  const facts = { region: "eu-west-1", accountId: "123456789012", pid: 1, httpUrl: null };
  const httpsUrl = `https://127.0.0.1:${port}`;
  writeServerFile(folder, { ...facts, httpsUrl, caFile: join(folder, "ca.pem") });
  writeCredentialsFile(folder, credentials);
  return { folder, httpsUrl, asked };
}
