import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CloudTrail } from "@aws-sdk/client-cloudtrail";
import { IAM } from "@aws-sdk/client-iam";
import { KMS } from "@aws-sdk/client-kms";
import { SNS } from "@aws-sdk/client-sns";
import { SQS } from "@aws-sdk/client-sqs";
import { STS } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { readCredentialsFile } from "../../src/cli/credentials-file.ts";
import { sendRaw } from "../harness/raw.ts";
import type { TestClients, TestCredentials } from "../harness/server.ts";

const program = fileURLToPath(new URL("../../bin/sealpost.js", import.meta.url));
const readyMsMax = 30_000;

/** A server as users run it: `sealpost serve` in a process of its own. */
export interface ChildServer {
  readonly pid: number;
  readonly httpsUrl: string;
  readonly ca: string;
  readonly dataFolder: string;
  readonly root: TestCredentials;
  readonly clients: TestClients;
  clientsOf(credentials: TestCredentials): TestClients;
  /** All that it has written to its outputs. */
  output(): string;
  /** The process that holds key material. */
  keyProcessPid(): number;
  /** SIGKILL; answers once it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; answers its exit code. */
  stop(): Promise<number | null>;
}

export function newDataFolder(): string {
  return mkdtempSync(join(tmpdir(), "sealpost-child-"));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts on a free port and answers when requests are served. */
export async function startChild(
  dataFolder: string,
  flags: readonly string[] = [],
): Promise<ChildServer> {
  const child = spawn(
    process.execPath,
    [program, "serve", "--data", dataFolder, "--port", "0", "--log-format", "json", ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const output = () => Buffer.concat(chunks).toString();
  const gone = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const file = await serverFile(child, dataFolder, output);
  const { httpsUrl } = file;
  const ca = readFileSync(join(dataFolder, "ca.pem"), "utf8");
  const root = readCredentialsFile(dataFolder);
  if (!root) throw new Error("the server wrote no credentials");
  await healthy(child, httpsUrl, ca, output);
  const agents: Agent[] = [];
  const clientsOf = (credentials: TestCredentials): TestClients => {
    const httpsAgent = new Agent({ ca, keepAlive: true, maxSockets: 50 });
    agents.push(httpsAgent);
    const settings = {
      endpoint: httpsUrl,
      region: "us-east-1",
      credentials,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpsAgent, requestTimeout: 20_000 }),
    };
    return {
      sns: new SNS(settings),
      sqs: new SQS(settings),
      kms: new KMS(settings),
      iam: new IAM(settings),
      sts: new STS(settings),
      cloudtrail: new CloudTrail(settings),
    };
  };
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const code = await gone;
    for (const agent of agents) agent.destroy();
    return code;
  };
  const pid = child.pid ?? 0;
  return {
    pid,
    httpsUrl,
    ca,
    dataFolder,
    root,
    clients: clientsOf(root),
    clientsOf,
    output,
    keyProcessPid() {
      const [first] = childrenOf(pid);
      if (first === undefined) throw new Error("the server has no key process");
      return first;
    },
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
  };
}

interface ServerFile {
  readonly pid: number;
  readonly httpsUrl: string;
}

/** `DIR/server.json` of this process: one of a killed server may still lie there. */
async function serverFile(
  child: ChildProcess,
  dataFolder: string,
  output: () => string,
): Promise<ServerFile> {
  return eventually("server.json", child, output, () => {
    const text = readFileSync(join(dataFolder, "server.json"), "utf8");
    const file = JSON.parse(text) as ServerFile;
    return file.pid === child.pid ? file : undefined;
  });
}

async function healthy(child: ChildProcess, url: string, ca: string, output: () => string) {
  const request = { url: `${url}/_sealpost/health`, method: "GET", headers: {}, body: "", ca };
  await eventually("health", child, output, async () => {
    const { status } = await sendRaw(request);
    return status === 200 ? true : undefined;
  });
}

/** Asks again until there is an answer; what throws is not there yet. */
async function eventually<T>(
  what: string,
  child: ChildProcess,
  output: () => string,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const until = performance.now() + readyMsMax;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch {
      // Not there yet.
    }
    if (child.exitCode !== null) throw new Error(`the server ended: ${output()}`);
    if (performance.now() > until) throw new Error(`no ${what} in time: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function childrenOf(pid: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(Number(name)) === pid)
    .map(Number);
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined;
}

/** undefined: there is no such process, or it is only waiting to be reaped. */
function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}
