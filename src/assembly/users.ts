import { readFileSync } from "node:fs";
import type { Owner } from "../keys/spawn.ts";
import { StartError } from "./start-error.ts";

/**
 * A user of this machine: a name of /etc/passwd, or `UID:GID` for one that is listed elsewhere.
 * Throws StartError if there is none of this name.
 */
export function userNamed(text: string): Owner {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(text) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , number, group] = line.split(":");
    if (name === text && number && group) return { uid: Number(number), gid: Number(group) };
  }
  throw new StartError(`there is no user ${text} in /etc/passwd; a number will do: UID:GID`);
}

/** The user of key processes, if this process may start one as another user; else undefined. */
export function ownerNamed(text: string | undefined): Owner | undefined {
  return text === undefined || process.geteuid?.() !== 0 ? undefined : userNamed(text);
}

type PosixProcess = Required<
  Pick<typeof process, "geteuid" | "setgroups" | "setgid" | "setuid" | "setegid" | "seteuid">
>;

/** Throws StartError unless this process may become any user. */
export function requireRoot(): PosixProcess {
  if (process.geteuid?.() === 0) return process as PosixProcess;
  throw new StartError(
    "--key-user needs a start as root: the server becomes --user by itself, before it opens anything",
  );
}

/** Does something with another user's rights, so that no file of his leads anywhere else. */
export function actingAs<T>({ uid, gid }: Owner, act: () => T): T {
  const root = requireRoot();
  root.setgroups([]);
  root.setegid(gid);
  root.seteuid(uid);
  try {
    return act();
  } finally {
    root.seteuid(0);
    root.setegid(0);
  }
}

/** This process is another user's from now on, for good. */
export function become({ uid, gid }: Owner): void {
  const root = requireRoot();
  root.setgroups([]);
  root.setgid(gid);
  root.setuid(uid);
  let back = true;
  try {
    root.setuid(0);
  } catch {
    back = false;
  }
  if (back) throw new StartError("the rights of root could not be given up");
}
