import { createReadStream, existsSync, globSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { type Frame, frameTypes, jsonFrame } from "../../backup/frames.ts";
import type { FileHead } from "../../backup/manifest.ts";

/**
 * What of a data folder goes into a backup beside the store. Private keys among it are sealed under
 * the ring. INVARIANT: neither the root key nor the file of root credentials.
 */
const singleFiles = ["ca.pem", "truststore.p12", "key-uses.log"];
const folders = ["tls", "trails"];

/** Names of a data folder that a restore replaces as a whole. */
export const restoredNames: readonly string[] = [
  ...singleFiles,
  ...folders,
  ...["installation.json", "clock.json", "sealpost.db"],
];

const partBytes = 256 * 1024;

/** Paths relative to the folder, with `/`. */
export function filesToKeep(folder: string): readonly string[] {
  const below = folders.flatMap((name) =>
    globSync(`${name}/**`, { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile()),
  );
  const single = singleFiles.filter((name) => existsSync(join(folder, name)));
  return [...single, ...below.map((path) => path.split(sep).join("/"))].toSorted();
}

/** Whether a path from a backup may be written into a data folder. */
export function mayRestore(path: string): boolean {
  const parts = path.split("/");
  const plain = parts.every((part) => /^[^\0\\]+$/.test(part) && part !== "." && part !== "..");
  if (!plain) return false;
  return parts.length === 1 ? singleFiles.includes(path) : folders.includes(parts[0] ?? "");
}

/** A file as frames. A file that goes meanwhile is left out; of one that grows, what was there. */
export async function* fileFrames(folder: string, path: string): AsyncGenerator<Frame> {
  const facts = statSync(join(folder, path), { throwIfNoEntry: false });
  if (!facts?.isFile()) return;
  const head: FileHead = { path, mode: facts.mode & 0o777 };
  yield jsonFrame(frameTypes.file, head);
  if (facts.size === 0) return;
  const source = createReadStream(join(folder, path), {
    highWaterMark: partBytes,
    end: facts.size - 1,
  });
  for await (const bytes of source) yield { type: frameTypes.fileBytes, bytes: bytes as Buffer };
}
