import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ServerReport } from "./process-words.ts";

/** A test server that runs in a process of its own. */
export interface LaunchedServer {
  /** Its data folder, which goes with it. */
  readonly folder: string;
  /** Resolves once process and folder are gone. */
  stop(): Promise<void>;
}

/** Starts a server with these flags. Rejects with the server's own reason if it cannot start. */
export async function launchServer(
  flags: Readonly<Record<string, unknown>>,
): Promise<LaunchedServer> {
  // Sources or the built package: the entry lies beside this file and has its ending.
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const entry = fileURLToPath(new URL(`./server-process.${ending}`, import.meta.url));
  const child = spawn(process.execPath, [entry, JSON.stringify(flags)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const folder = await ready(child);
  // A test that forgets to stop its server still ends: the server ends with it.
  child.unref();
  child.channel?.unref();
  return {
    folder,
    async stop() {
      child.ref();
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

function ready(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      reject(new Error(`the Sealpost server ended with ${code} before it was ready`));
    });
    child.once("message", (report: ServerReport) => {
      if (report.kind === "ready") resolve(report.folder);
      else reject(new Error(`the Sealpost server did not start: ${report.text}`));
    });
  });
}
