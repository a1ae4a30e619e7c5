import https from "node:https";
import { within } from "../delivery/http-exchange.ts";
import type { Reach } from "../delivery/open-targets.ts";
import type { Json } from "../kernel/json.ts";

const bytesMax = 256 * 1024;

const answerMsMax = 5_000;

/**
 * Reads a small JSON document over HTTPS: the keys of an identity provider. Bounded in time and
 * bytes; the address is one that the server may reach; no redirect is followed, so an issuer's
 * answer leads to no other place. The certificate must be one that this machine trusts
 * (NODE_EXTRA_CA_CERTS adds authorities).
 */
export async function fetchJson(reach: Reach, text: string): Promise<Json> {
  const url = new URL(text);
  const signal = AbortSignal.timeout(answerMsMax);
  const lookup = await within(signal, reach(url));
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json" };
    const request = https.get(url, { lookup, agent: false, signal, headers }, (response) => {
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
