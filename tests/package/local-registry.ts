import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/**
 * A package registry on loopback that has what this clone has installed, and nothing else: npm
 * installs from it as from any other, without a network. `folder` keeps its tarballs.
 */
export async function startLocalRegistry(root: string, folder: string) {
  const paths = pathsByName(root);
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://registry").pathname);
    const [name = "", version] = path.slice(1).split("/-/");
    const candidates = paths.get(name) ?? [];
    const answer =
      version === undefined
        ? packument(name, candidates, addressOf(server))
        : tarball(candidates, version, folder);
    response.writeHead(answer === undefined ? 404 : 200).end(answer ?? "{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: addressOf(server),
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Where each package lies; one may be there in several versions. */
function pathsByName(root: string): ReadonlyMap<string, readonly string[]> {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const paths = Object.keys(packages).filter((path) => path !== "");
  return Map.groupBy(
    paths.map((path) => join(root, path)),
    (path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
  );
}

function manifestOf(path: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  } catch {
    // A package of another platform.
    return undefined;
  }
}

function packument(name: string, paths: readonly string[], url: string): string | undefined {
  const manifests = paths.flatMap((path) => manifestOf(path) ?? []);
  if (manifests.length === 0) return undefined;
  const versions = manifests.map((manifest) => [
    manifest.version,
    { ...manifest, dist: { tarball: `${url}/${name}/-/${manifest.version}` } },
  ]);
  return JSON.stringify({
    name,
    "dist-tags": { latest: manifests[0]?.version },
    versions: Object.fromEntries(versions),
  });
}

function tarball(paths: readonly string[], version: string, folder: string): Buffer | undefined {
  const path = paths.find((candidate) => manifestOf(candidate)?.version === version);
  if (path === undefined) return undefined;
  const place = join(folder, createHash("sha256").update(path).digest("hex"));
  mkdirSync(place, { recursive: true });
  symlinkSync(path, join(place, "package"));
  const args = ["-C", place, "--exclude", "package/node_modules", "-chzf", "-", "package"];
  return execFileSync("tar", args, { maxBuffer: 2 ** 28 });
}
