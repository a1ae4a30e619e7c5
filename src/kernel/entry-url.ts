/**
 * Address of a worker or child entry beside its starter. Sources run as `.ts`, the published
 * package as `.js`, and the compiler rewrites imports only: the extension is that of the module
 * which asks. `relativePath` has no extension (`./child`).
 */
export function entryUrl(importMetaUrl: string, relativePath: string): URL {
  const extension = new URL(importMetaUrl).pathname.endsWith(".ts") ? ".ts" : ".js";
  return new URL(relativePath + extension, importMetaUrl);
}
