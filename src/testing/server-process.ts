/**
 * A test server's process. It starts with settings as JSON in its first argument, tells its parent
 * over IPC that it is ready or why it is not, and ends with its parent: no test run, however it
 * ends, leaves a server behind.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSettings } from "../cli/settings.ts";
import { type RunningServer, startServer } from "../main.ts";
import type { ServerReport } from "./process-words.ts";

const folder = mkdtempSync(join(tmpdir(), "sealpost-testing-"));
let running: RunningServer | undefined;

process.on("disconnect", () => void stop());
// A terminal signals the whole group; the parent decides when this process ends.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
await start();

async function start(): Promise<void> {
  try {
    const settings = readSettings({
      flags: { ...JSON.parse(process.argv[2] ?? "{}"), data: folder, port: 0 },
      // A test server is what its test says, whatever the shell around it has set.
      environment: {},
      workingDirectory: folder,
      defaults: { clock: "virtual", logLevel: "error" },
    });
    running = await startServer(settings);
    void running.failed.then(stop);
    report({ kind: "ready", folder });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    report({ kind: "failed", text: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect?.();
  }
}

async function stop(): Promise<void> {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}

function report(message: ServerReport): void {
  process.send?.(message);
}
