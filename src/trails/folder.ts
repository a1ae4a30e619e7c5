import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ObjectError, type ObjectPlace, type Objects } from "./objects.ts";

/** Names that are being written; never those of a delivered file. */
const temporaryMark = ".new-";

/**
 * Trails in a folder: `ROOT/<trail>/<key>`, files 0600. A file is written under another name,
 * synced and renamed, so that it is there whole or not at all.
 */
export function folderObjects(root: string): Objects {
  return {
    async put(place, key, { bytes }) {
      const path = pathOf(root, place, key);
      try {
        await writeDurably(path, bytes, resolve(root));
      } catch (error) {
        throw asObjectError(error);
      }
    },
    async get(place, key) {
      try {
        return await readFile(pathOf(root, place, key));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw asObjectError(error);
      }
    },
    async list(place, prefix) {
      const base = join(root, place.trailName);
      try {
        const entries = await readdir(join(base, prefix), { recursive: true, withFileTypes: true });
        return entries
          .filter((entry) => !entry.isDirectory() && !entry.name.startsWith(temporaryMark))
          .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join("/"))
          .sort();
      } catch (error) {
        if (codeOf(error) === "ENOENT") return [];
        throw asObjectError(error);
      }
    },
  };
}

/** INVARIANT: what a key names lies inside the trail's folder. */
function pathOf(root: string, { trailName }: ObjectPlace, key: string): string {
  const base = resolve(root, trailName);
  const path = resolve(base, key);
  const inside = path.startsWith(base + sep) && base.startsWith(resolve(root) + sep);
  if (!inside) throw new ObjectError("InvalidKey", `the key ${key} leaves the trail's folder`);
  return path;
}

async function writeDurably(path: string, bytes: Uint8Array, root: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, temporaryMark + path.slice(folder.length + 1));
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  // Folders above may be new as well.
  for (let at = folder; at.length >= root.length; at = dirname(at)) await syncFolder(at);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function asObjectError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === "" || error instanceof ObjectError) return error;
  return new ObjectError(code, String(error), { cause: error });
}
