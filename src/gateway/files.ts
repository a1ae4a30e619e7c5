import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Replaces a file in one durable step: after a crash it is the old one or the new one, whole.
 * Throws the system's error if the folder cannot be written.
 */
export function writeFileAtomically(path: string, text: string | Uint8Array, mode: number): void {
  const temporary = unfinished(path);
  rmSync(temporary, { force: true });
  // "wx": a link that somebody put there is not followed.
  const file = openSync(temporary, "wx", mode);
  try {
    fchmodSync(file, mode);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** What a crash in the midst of `writeFileAtomically` leaves; the next one for the path removes it. */
export function unfinished(path: string): string {
  return `${path}.new`;
}

/** The text of a file, or undefined if there is none. */
export function readFileIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes a folder of mode 0700, with those above it, unless it is there. Throws the system's error.
 * Node's own `recursive` goes round for ever where a file system takes no folders (/proc).
 */
export function makeFolder(path: string): void {
  const isFolder = () => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder()) return;
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was quicker.
    if (!isFolder()) throw error;
  }
}
