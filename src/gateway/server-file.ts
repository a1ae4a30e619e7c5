import { rmSync } from "node:fs";
import { join } from "node:path";
import { readFileIfThere, writeFileAtomically } from "./files.ts";

/** `DIR/server.json`: where the server that holds the folder is, while it runs. */
export interface ServerFile {
  readonly pid: number;
  readonly httpsUrl: string;
  /** null with --tls-only. */
  readonly httpUrl: string | null;
  /** Absolute path of the CA certificate; null with an own certificate (--tls-cert). */
  readonly caFile: string | null;
  readonly region: string;
  readonly accountId: string;
  /** Private endpoints, where there are some. */
  readonly endpoints?: readonly { readonly endpointId: string; readonly httpsUrl: string }[];
}

const fileName = "server.json";

export function writeServerFile(folder: string, file: ServerFile): void {
  writeFileAtomically(join(folder, fileName), `${JSON.stringify(file, null, 2)}\n`, 0o600);
}

export function removeServerFile(folder: string): void {
  rmSync(join(folder, fileName), { force: true });
}

/** undefined if no server runs on the folder, or if the file is not one of ours. */
export function readServerFile(folder: string): ServerFile | undefined {
  const text = readFileIfThere(join(folder, fileName));
  if (text === undefined) return undefined;
  try {
    const file: Partial<ServerFile> = JSON.parse(text);
    return typeof file.pid === "number" && typeof file.httpsUrl === "string"
      ? (file as ServerFile)
      : undefined;
  } catch {
    return undefined;
  }
}
