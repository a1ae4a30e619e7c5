import { equal } from "node:assert/strict";
import { runCli } from "../../src/cli/main.ts";
import type { TestClients, TestCredentials, TestServer } from "../harness/server.ts";

export interface CommandAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `sealpost …` against the server of a test. */
export async function sealpost(
  server: TestServer,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandAnswer> {
  let out = "";
  let err = "";
  const io = {
    environment,
    workingDirectory: server.dataFolder,
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    now: () => Date.now(),
    onStopSignal: () => () => {},
    exit: () => {},
    isAlive: () => true,
  };
  const parts = {
    version: "0",
    loadStart: () => Promise.reject(new Error("nothing should start")),
    demo: async () => 1,
  };
  const code = await runCli([...argv, "--data", server.dataFolder], io, parts);
  return { code, out, err };
}

/** The JSON that a verb prints; it must have gone well. */
export async function sealpostJson(
  server: TestServer,
  ...argv: readonly string[]
): Promise<Record<string, string>> {
  const { code, out, err } = await sealpost(server, [...argv, "--format", "json"]);
  equal(code, 0, err);
  return JSON.parse(out);
}

export interface TestAccount extends TestCredentials {
  readonly accountId: string;
  /** Clients of its root user. */
  readonly clients: TestClients;
}

export async function makeAccount(server: TestServer, name: string): Promise<TestAccount> {
  const made = await sealpostJson(server, "account", "create", name);
  const { accountId = "", accessKeyId = "", secretAccessKey = "" } = made;
  const credentials = { accessKeyId, secretAccessKey };
  return { accountId, ...credentials, clients: server.clients(credentials) };
}
