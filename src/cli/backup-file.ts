import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes what comes to a file that has its name only once it is whole and on disk. Throws what the
 * source or the disk throws; then nothing is left.
 */
export async function writeWhole(
  path: string,
  source: AsyncIterable<Buffer>,
  progress: (bytesWritten: number) => void,
): Promise<number> {
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  const file = openSync(partial, "wx", 0o600);
  let written = 0;
  try {
    for await (const bytes of source) {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      written += bytes.length;
      progress(written);
    }
    fsyncSync(file);
    closeSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(partial, { force: true });
    throw error;
  }
  renameSync(partial, path);
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
  return written;
}

/** Says how far something is, at most once in `everyMs`; on a terminal in one line. */
export function progressLine(
  write: (text: string) => void,
  now: () => number,
  terminal: boolean,
): (text: string, last?: boolean) => void {
  const everyMs = terminal ? 200 : 5_000;
  let saidMs = now();
  let said = false;
  return (text, last = false) => {
    if (!last && now() - saidMs < everyMs) return;
    if (last && !said) return;
    saidMs = now();
    said = true;
    write(terminal ? `\r${text}${last ? "\n" : ""}` : `${text}\n`);
  };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
