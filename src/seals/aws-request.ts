import { createHmac, hash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import type { EpochMs } from "../kernel/clock.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface KmsRequest {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** PEM; undefined: the system's. */
  readonly ca: string | undefined;
  readonly operation: string;
  readonly body: string;
  readonly nowMs: EpochMs;
}

export interface KmsReply {
  readonly status: number;
  readonly body: Buffer;
}

const timeoutMs = 15_000;

/** One signed call of KMS's JSON protocol. Rejects with the network's error. */
export function callKms(request: KmsRequest): Promise<KmsReply> {
  const url = new URL(request.endpoint);
  const headers = signedHeaders(request, url);
  const client = url.protocol === "https:" ? https : http;
  const { promise, resolve, reject } = Promise.withResolvers<KmsReply>();
  const options = { method: "POST", headers, timeout: timeoutMs, ca: request.ca };
  const call = client.request(url, options, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
    });
  });
  call.on("timeout", () => call.destroy(new Error("the KMS did not answer in time")));
  call.on("error", reject);
  call.end(request.body);
  return promise;
}

/** AWS: Signature Version 4 over headers. */
function signedHeaders(request: KmsRequest, url: URL): Record<string, string> {
  const { credentials, region } = request;
  const time = new Date(request.nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const signed: Record<string, string> = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": time,
    ...(credentials.sessionToken !== undefined && {
      "x-amz-security-token": credentials.sessionToken,
    }),
    "x-amz-target": `TrentService.${request.operation}`,
  };
  const names = Object.keys(signed).toSorted();
  const canonical = [
    "POST",
    url.pathname,
    "",
    ...names.map((name) => `${name}:${signed[name]}`),
    "",
    names.join(";"),
    hash("sha256", request.body),
  ].join("\n");
  const scope = `${day}/${region}/kms/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, hash("sha256", canonical)].join("\n");
  const parts = [day, region, "kms", "aws4_request"];
  const key = parts.reduce<Buffer>(hmac, Buffer.from(`AWS4${credentials.secretAccessKey}`));
  const credential = `${credentials.accessKeyId}/${scope}`;
  return {
    ...signed,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(";")}, ` +
      `Signature=${hmac(key, toSign).toString("hex")}`,
  };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
