import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a server is, and who may ask it. */
export interface ServerAddress {
  readonly pid: number;
  readonly httpsUrl: string;
  readonly httpUrl: string;
  readonly ca: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface BenchServer extends ServerAddress {
  readonly child: ChildProcess;
  readonly readySeconds: number;
  stop(): Promise<void>;
}

/** The command as users have it. */
export const binFile = fileURLToPath(new URL("../bin/sealpost.js", import.meta.url));

/** Starts the product as users do, and waits until it says that it is ready. */
export async function startServer(
  dataFolder: string,
  flags: readonly string[] = [],
): Promise<BenchServer> {
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [binFile, "serve", "--data", dataFolder, "--port", "0", "--log-level", "warn", ...flags],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const file = join(dataFolder, "server.json");
  while (!existsSync(file) || JSON.parse(readFileSync(file, "utf8")).pid !== child.pid) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await pause(5);
  }
  const facts = JSON.parse(readFileSync(file, "utf8"));
  while ((await health(facts.httpUrl)) !== 200) await pause(5);
  const readySeconds = (performance.now() - start) / 1000;
  const credentials = readFileSync(join(dataFolder, "credentials"), "utf8");
  const value = (name: string) => new RegExp(`${name}\\s*=\\s*(\\S+)`).exec(credentials)?.[1] ?? "";
  return {
    child,
    pid: child.pid ?? 0,
    readySeconds,
    httpsUrl: facts.httpsUrl,
    httpUrl: facts.httpUrl,
    ca: readFileSync(facts.caFile, "utf8"),
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

function health(url: string): Promise<number> {
  return new Promise((resolve) => {
    get(`${url}/_sealpost/health`, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", () => resolve(0));
  });
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
