import { createHmac, hash } from "node:crypto";
import { deriveSigningKey } from "../auth/signing-keys.ts";
import type { EpochMs } from "../kernel/clock.ts";

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly service: string;
  readonly region: string;
}

/** AWS: Signature Version 4, headers form. The path of `url` is encoded already, once. */
export function signRequest(
  request: UnsignedRequest,
  credentials: SigningCredentials,
  nowMs: EpochMs,
): Record<string, string> {
  const { method, url, body, service, region } = request;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const bodyHash = hash("sha256", body, "hex");
  const headers: Record<string, string> = {
    ...request.headers,
    host: url.host,
    "x-amz-content-sha256": bodyHash,
    "x-amz-date": time,
  };
  const names = Object.keys(headers).sort();
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`)
    .sort()
    .join("&");
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    bodyHash,
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, hash("sha256", canonical)].join("\n");
  const secret = Buffer.from(credentials.secretAccessKey, "utf8");
  const { accessKeyId } = credentials;
  const key = deriveSigningKey(secret, { accessKeyId, scopeDate: date, region, service });
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  key.fill(0);
  secret.fill(0);
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, ` +
    `SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** AWS: percent-encoding of everything but unreserved characters. */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
