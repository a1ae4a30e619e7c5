import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { entryUrl } from "../kernel/entry-url.ts";
import type { Log } from "../kernel/log.ts";
import type { AwsCredentials } from "../seals/aws-request.ts";
import { needsHelper, type SealSettings, type StoredSeal } from "../seals/seal.ts";
import type { Owner } from "./spawn.ts";

/**
 * A seal with what opens it. The secrets stay for as long as the server runs: a key process that is
 * lost must be able to open the seal again.
 */
export interface SealSource {
  readonly settings: SealSettings;
  /** Passphrase or root key from the environment or a prompt. */
  readonly secret?: Uint8Array;
  readonly pin?: string;
  readonly credentials?: AwsCredentials;
  /** Whose the key process is that opens the seal, if not this process's user's. */
  readonly owner?: Owner;
}

const helperTimeoutMs = 30_000;

/**
 * Starts the helper of a seal that has one. `pipe` is this process's end of a pipe to the key
 * process: the helper gets it as its standard output and this process lets go of it, so the root
 * key passes by without being seen.
 */
export function startSealHelper(
  source: SealSource,
  stored: StoredSeal | undefined,
  pipe: Duplex,
  log: Log,
): Promise<void> {
  const { settings, pin, credentials } = source;
  if (!needsHelper(settings)) {
    pipe.destroy();
    return Promise.resolve();
  }
  const entry = fileURLToPath(entryUrl(import.meta.url, "../seals/helper"));
  const helper = spawn(process.execPath, ["--disable-sigusr1", entry], {
    env: settings.kind === "pkcs11" ? settings.environment : {},
    stdio: ["pipe", pipe, "pipe"],
    timeout: helperTimeoutMs,
    killSignal: "SIGKILL",
  });
  pipe.destroy();
  report(helper, log);
  const request = {
    settings,
    stored: stored ?? null,
    ...(pin !== undefined && { pin }),
    ...(credentials && { credentials }),
  };
  helper.stdin?.on("error", () => {
    // It ended before it read all: it has said why, or its silence will be noticed.
  });
  helper.stdin?.end(JSON.stringify(request));
  return new Promise((resolve) => {
    helper.once("exit", () => resolve());
    helper.once("error", () => resolve());
  });
}

function report(helper: ChildProcess, log: Log): void {
  helper.on("error", (error) => log.error("seal helper", { error: String(error) }));
  helper.stderr?.on("data", (text: Buffer) => log.error("seal helper", { text: text.toString() }));
}
