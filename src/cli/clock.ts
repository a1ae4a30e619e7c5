import { askServer } from "./admin-client.ts";
import type { CliIo } from "./io.ts";
import { findCredentials, findServer } from "./running-server.ts";

export interface ClockOptions {
  readonly folder: string;
  readonly format: "text" | "json";
}

/** Prints the service time of the running server. */
export async function showClock(options: ClockOptions, io: CliIo): Promise<void> {
  await ask(options, io, { method: "GET", path: "/_sealpost/clock" });
}

/** Moves the virtual clock; returns once everything that became due has run. */
export async function advanceClock(
  seconds: number,
  options: ClockOptions,
  io: CliIo,
): Promise<void> {
  const body = { advanceSeconds: seconds };
  await ask(options, io, { method: "POST", path: "/_sealpost/clock", body });
}

async function ask(
  options: ClockOptions,
  io: CliIo,
  request: Parameters<typeof askServer>[2],
): Promise<void> {
  const server = findServer(options.folder, io);
  const credentials = findCredentials(options.folder, io);
  const answer = await askServer(server, credentials, request, io.now());
  if (options.format === "json") {
    io.out(`${JSON.stringify(answer)}\n`);
    return;
  }
  const { clock, now } = answer as { readonly clock: string; readonly now: string };
  io.out(`${now} (${clock} clock)\n`);
}
