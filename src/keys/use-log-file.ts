import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
} from "node:fs";

/** The file that the key process writes; this process opens it and sees no key. */
export interface OpenUseLog {
  readonly descriptor: number;
  /** The last whole line, "" for none: the next one follows from it. */
  readonly lastLine: string;
  close(): void;
}

const lineBytesMax = 1024 * 1024;
const newline = 0x0a;

/** Opens the log for appending. A line that a crash has torn is cut off. */
export function openUseLog(path: string): OpenUseLog {
  const descriptor = openSync(path, "a+", 0o600);
  const size = fstatSync(descriptor).size;
  const tail = Buffer.alloc(Math.min(size, lineBytesMax));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf(newline) + 1;
  if (end < tail.length) ftruncateSync(descriptor, size - (tail.length - end));
  const start = end === 0 ? 0 : tail.lastIndexOf(newline, end - 2) + 1;
  const lastLine = tail.toString("utf8", start, Math.max(start, end - 1));
  return { descriptor, lastLine, close: () => closeSync(descriptor) };
}

/** All lines, for the check of the chain. */
export function readUseLog(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").slice(0, -1);
}
