import { tmpdir } from "node:os";
import { Fault } from "../kernel/errors.ts";

/**
 * What an error of the operating system means for the person at the keyboard, and what to do about
 * it; undefined for errors of other kinds.
 */
export function explainSystemError(error: unknown): string | undefined {
  if (error instanceof Fault && error.kind === "disk-full") {
    return `${error.message}: make room for the data folder, then start again`;
  }
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const { code, path, message, syscall } = error as NodeJS.ErrnoException;
  const where = path ?? "the data folder";
  switch (code) {
    case "EACCES":
    case "EPERM":
      if (syscall === "listen") {
        return `${message}: ports below 1024 need a right of their own; choose another with --port`;
      }
      return (
        `${where} belongs to another user or may not be read and written by this one: run as its ` +
        "owner, or name another folder with --data"
      );
    case "EEXIST":
    case "ENOTDIR":
      return `${where} is no folder: name another one with --data`;
    case "ENOENT":
      if (syscall !== "mkdir") return undefined;
      return `no folder can be made at ${where}: name another one with --data`;
    case "EROFS":
      return `${where} cannot be written, its file system is read-only: name a folder with --data`;
    case "ENOSPC":
    case "EDQUOT":
      return (
        `no space is left for ${where}: make room there${path ? "" : ` or in ${tmpdir()}`}, or ` +
        "name a folder elsewhere with --data"
      );
    case "EMFILE":
    case "ENFILE":
      return `too many files are open (${message}): raise the limit with \`ulimit -n\``;
    case "EADDRNOTAVAIL":
      return `${message}: this machine does not have that address; choose another with --host`;
    default:
      return undefined;
  }
}
