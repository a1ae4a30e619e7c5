import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { processIo } from "../cli/io.ts";
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
  const { environment } = processIo();
  const cache = await compileCache();
  const child = spawn(process.execPath, [entry, JSON.stringify(flags)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...environment, NODE_COMPILE_CACHE: environment.NODE_COMPILE_CACHE ?? cache },
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

/** With it a server starts in half the time. */
async function compileCache(): Promise<string | undefined> {
  // The command's plain JavaScript lies in the same place for sources and for the built package.
  const path = new URL("../../bin/compile-cache.js", import.meta.url);
  const { compileCacheFolder } = (await import(path.href)) as CompileCache;
  return compileCacheFolder();
}

interface CompileCache {
  compileCacheFolder(): string | undefined;
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
