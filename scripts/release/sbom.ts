import { createHash } from "node:crypto";

/** What of package-lock.json (version 3) the bill of materials is made from. */
export interface LockFile {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly peerDependencies?: Names;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

type Names = Readonly<Record<string, string>>;

interface Component {
  readonly name: string;
  readonly locked: LockedPackage;
  readonly purl: string;
  /** Paths in the lock file of what it needs. */
  readonly needs: readonly string[];
}

/**
 * A CycloneDX 1.6 bill of materials of what the published package brings: its dependencies and
 * theirs, as locked. Neither tools of development nor a clone's own Node are in it. The same lock
 * file gives the same text.
 */
export function billOfMaterials(lock: LockFile, license: string): object {
  const reached = reachable(lock);
  const root = reached.get("");
  const components = [...reached]
    .filter(([path]) => path !== "")
    .map(([, component]) => component)
    .sort((left, right) => (left.purl < right.purl ? -1 : 1));
  const rootPurl = purlOf(lock.name, lock.version);
  const dependsOn = ({ needs = [] }: Partial<Component>) =>
    needs.map((path) => reached.get(path)?.purl).sort();
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([lock.name, lock.version, components]))}`,
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": rootPurl,
        name: lock.name,
        version: lock.version,
        purl: rootPurl,
        licenses: [{ license: { id: license } }],
      },
    },
    components: components.map(componentOf),
    dependencies: [
      { ref: rootPurl, dependsOn: dependsOn(root ?? {}) },
      ...components.map((component) => ({
        ref: component.purl,
        dependsOn: dependsOn(component),
      })),
    ],
  };
}

/** The platform packages that bring a clone its Node; the published package names none of them. */
const clonesNode = /^node-(linux|bin)-/;

/** What an installation of the package brings, by its path in the lock file; "" is the package. */
function reachable({ packages }: LockFile): ReadonlyMap<string, Component> {
  const found = new Map<string, Component>();
  const visit = (path: string, name: string) => {
    const locked = packages[path];
    if (!locked || found.has(path)) return;
    const purl = purlOf(name, locked.version ?? "");
    const needed = needsOf(locked)
      .map((needs) => [needs, resolve(packages, path, needs)] as const)
      .filter((pair): pair is readonly [string, string] => pair[1] !== undefined);
    found.set(path, { name, locked, purl, needs: needed.map(([, at]) => at) });
    for (const [needs, at] of needed) visit(at, needs);
  };
  visit("", "");
  return found;
}

function needsOf(locked: LockedPackage): string[] {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = locked;
  const peers = Object.keys(peerDependencies ?? {});
  return [
    ...Object.keys({ ...dependencies, ...optionalDependencies }),
    ...peers.filter((name) => !peerDependenciesMeta?.[name]?.optional),
  ].filter((name) => !clonesNode.test(name));
}

/** Node's way: the nearest node_modules that has the name. */
function resolve(packages: LockFile["packages"], from: string, name: string): string | undefined {
  for (let folder = from; ; ) {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === "") return undefined;
    const up = folder.lastIndexOf("/node_modules/");
    folder = up < 0 ? "" : folder.slice(0, up);
  }
}

function componentOf({ name, locked, purl }: Component): object {
  const { version, license, integrity } = locked;
  const [, algorithm = "", digest = ""] = /^(sha\d+)-(\S+)$/.exec(integrity ?? "") ?? [];
  const alg = algorithm.replace("sha", "SHA-");
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    purl,
    ...(locked.optional && { scope: "optional" }),
    ...(license && {
      licenses: [
        / (OR|AND) /.test(license) ? { expression: license } : { license: { id: license } },
      ],
    }),
    ...(digest && { hashes: [{ alg, content: Buffer.from(digest, "base64").toString("hex") }] }),
  };
}

/** Package URL; the @ of a scope is encoded. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

/** A UUID that the text decides (version 8, RFC 9562). */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
