import { openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { sealOf } from "../assembly/seal-source.ts";
import { actingAs, become, requireRoot, userNamed } from "../assembly/users.ts";
import type { Settings } from "../config.ts";
import { makeFolder } from "../gateway/files.ts";
import { type PreparedKeyProcesses, prepareKeyProcesses } from "../keys/prepared.ts";
import type { Owner } from "../keys/spawn.ts";
import { CliError } from "./io.ts";

/** One that works, and two for when it is lost; each that waits is some 40 MB of memory. */
const processes = 3;

/**
 * With `--key-user`: starts the key processes as that user and gives up root for `--user`, before
 * anything else is opened. undefined: the key process is the server's user's.
 *
 * INVARIANT: from here on this process can neither read what opens the seal, nor look into a key
 * process, nor start another one.
 *
 * Throws CliError if this is not root, or if others could reach what opens the seal.
 */
export function prepareKeyUser(settings: Settings): PreparedKeyProcesses | undefined {
  const { user, keyUser } = settings;
  if (user === undefined || keyUser === undefined) return undefined;
  try {
    return prepare(settings, user, keyUser);
  } catch (error) {
    if (error instanceof Error) throw new CliError(error.message, { cause: error });
    throw error;
  }
}

function prepare(settings: Settings, user: string, keyUser: string): PreparedKeyProcesses {
  const { data } = settings;
  requireRoot();
  const [server, owner] = [userNamed(user), userNamed(keyUser)];
  if ([server, owner].some(({ uid }) => uid === 0) || server.uid === owner.uid) {
    throw new CliError("--user and --key-user must be two users, and neither of them root");
  }
  const { settings: seal } = sealOf(settings);
  const secret = seal.kind === "file" ? seal.path : seal.kind === "passphrase" && seal.file;
  if (!secret) {
    throw new CliError(
      "--key-user goes with --seal file, or --seal passphrase with --seal-passphrase-file: " +
        "only these the key process opens by itself",
    );
  }
  requirePrivate(secret, owner, seal.kind === "file" ? "folder" : "file", keyUser);
  // As the server's user: what he put into his folder must not lead root elsewhere.
  const useLog = actingAs(server, () => {
    makeFolder(data);
    return openSync(join(data, "key-uses.log"), "a+", 0o600);
  });
  const rootKeyFolder = seal.kind === "file" ? openSync(dirname(secret), "r") : undefined;
  const prepared = prepareKeyProcesses({ seal, owner, useLog, rootKeyFolder, count: processes });
  become(server);
  return prepared;
}

const othersMask = 0o077;

/** A root key is made in its folder, so that is what must be the key process's own. */
function requirePrivate(
  path: string,
  { uid, gid }: Owner,
  what: "folder" | "file",
  name: string,
): void {
  const place = what === "folder" ? dirname(path) : path;
  const facts = statSync(place, { throwIfNoEntry: false });
  if (facts?.uid === uid && (facts.mode & othersMask) === 0) return;
  const make = what === "folder" ? `install -d -m 700 -o ${uid} -g ${gid}` : `chown ${uid}`;
  throw new CliError(
    `the ${what} ${place} must belong to ${name} alone (mode ${what === "folder" ? "0700" : "0600"}): ` +
      `${make} ${place}`,
  );
}
