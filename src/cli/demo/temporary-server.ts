import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readServerFile, type ServerFile } from "../../gateway/server-file.ts";
import { askServer } from "../admin-client.ts";
import type { CliIo } from "../io.ts";
import { findCredentials } from "../running-server.ts";
import type { DemoCredentials, DemoTarget } from "./clients.ts";
import type { DemoServer, UndeliveredLine } from "./proofs.ts";

export interface TemporaryServer extends DemoServer {
  readonly target: DemoTarget;
  readonly root: DemoCredentials;
  stop(): Promise<void>;
}

const readyMsMax = 30_000;
const pollMs = 25;

/**
 * A server of the demo's own: a process, a free port, a virtual clock, a folder that goes again.
 */
export async function startTemporaryServer(command: string, io: CliIo): Promise<TemporaryServer> {
  const dataFolder = mkdtempSync(join(tmpdir(), "sealpost-demo-"));
  const flags = ["--data", dataFolder, "--port", "0", "--clock", "virtual", "--log-level", "error"];
  const child = spawn(process.execPath, [command, "serve", ...flags], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: dataFolder,
    env: {
      ...io.environment,
      SEALPOST_ROOT_ACCESS_KEY_ID: "",
      SEALPOST_ROOT_SECRET_ACCESS_KEY: "",
    },
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(dataFolder, { recursive: true, force: true });
  };
  try {
    const server = await untilReady(dataFolder, () => child.exitCode, io);
    const root = findCredentials(dataFolder, io);
    const ask = (request: Parameters<typeof askServer>[2]) =>
      askServer(server, root, request, io.now());
    return {
      dataFolder,
      root,
      target: {
        endpoint: server.httpsUrl,
        ca: readFileSync(server.caFile ?? "", "utf8"),
        region: server.region,
      },
      stop,
      async advance(seconds) {
        const body = { advanceSeconds: seconds };
        await ask({ method: "POST", path: "/_sealpost/clock", body });
      },
      async undelivered(topicArn) {
        const answer = await ask({ method: "GET", path: "/_sealpost/undelivered" });
        const { notifications } = answer as unknown as {
          readonly notifications: readonly (UndeliveredLine & { readonly topicArn: string })[];
        };
        return notifications.filter((line) => line.topicArn === topicArn);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `server.json` is written once requests are served. */
async function untilReady(
  dataFolder: string,
  exitCode: () => number | null,
  io: CliIo,
): Promise<ServerFile> {
  const start = io.now();
  for (;;) {
    const server = readServerFile(dataFolder);
    if (server) return server;
    if (exitCode() !== null) throw new Error(`the demo's server ended with ${exitCode()}`);
    if (io.now() - start > readyMsMax) throw new Error("the demo's server did not get ready");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
