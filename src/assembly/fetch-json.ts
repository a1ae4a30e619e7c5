import https from "node:https";
import type { Json } from "../kernel/json.ts";

export interface FetchOptions {
  /** PEM of a further authority to trust; tests have their own. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

const bytesMax = 256 * 1024;

/**
 * Reads a small JSON document over HTTPS: the keys of an identity provider. Bounded in time and
 * bytes; no redirect is followed, so an issuer's answer leads to no other place. The certificate
 * must be one that this machine trusts (NODE_EXTRA_CA_CERTS adds authorities).
 */
export function fetchJson(url: string, options: FetchOptions = {}): Promise<Json> {
  const { ca, timeoutMs = 5_000 } = options;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { accept: "application/json" };
    const request = https.get(url, { ca, agent: false, signal, headers }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy();
        return reject(new Error(`the issuer answered ${response.statusCode}`));
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > bytesMax) response.destroy(new Error("the issuer's answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch {
          reject(new Error("the issuer's answer is not JSON"));
        }
      });
    });
    request.on("error", reject);
  });
}
