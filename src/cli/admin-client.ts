import { createHmac, hash } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { deriveSigningKey } from "../auth/signing-keys.ts";
import type { RootCredentials } from "../config.ts";
import type { ServerFile } from "../gateway/server-file.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Json } from "../kernel/json.ts";
import { CliError } from "./io.ts";

export interface AdminRequest {
  readonly method: "GET" | "POST";
  /** `/_sealpost/clock` */
  readonly path: string;
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: Json;
}

/**
 * Asks the running server over its own API, signed for the service name `sealpost`. Throws CliError
 * with the server's text if it refuses or cannot be reached.
 */
export async function askServer(
  server: ServerFile,
  credentials: RootCredentials,
  request: AdminRequest,
  now: EpochMs,
): Promise<Json> {
  const body = request.body === undefined ? "" : JSON.stringify(request.body);
  const { url, headers } = signedRequest(server, credentials, request, body, now);
  const { status, text } = await exchange(url, request.method, headers, body, server.caFile);
  const answer = parse(text);
  if (status === 200) return answer;
  throw refused(status, answer);
}

function signedRequest(
  server: ServerFile,
  credentials: RootCredentials,
  request: AdminRequest,
  body: string,
  now: EpochMs,
): { readonly url: URL; readonly headers: Record<string, string> } {
  // With an own certificate this machine may not trust it; the loopback way needs no TLS.
  const plain = server.caFile === null && server.httpUrl !== null;
  const url = new URL(request.path, plain ? (server.httpUrl ?? "") : server.httpsUrl);
  url.search = canonicalQuery(request.query ?? {});
  const headers = signedHeaders(url, request.method, body, server.region, credentials, now);
  return { url, headers };
}

function refused(status: number, answer: Json): CliError {
  const { message } = answer as { readonly message?: string };
  return new CliError(message ?? `the server answered ${status}`);
}

/** AWS: sorted by name, each part encoded by RFC 3986; sent in the very form that is signed. */
function canonicalQuery(query: Readonly<Record<string, string | undefined>>): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  return Object.entries(query)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&");
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError("the server's answer is not JSON");
  }
}

/** AWS: Signature Version 4, headers form. */
function signedHeaders(
  url: URL,
  method: string,
  body: string,
  region: string,
  credentials: RootCredentials,
  now: EpochMs,
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/sealpost/aws4_request`;
  const names = "host;x-amz-date";
  const canonical = [
    method,
    url.pathname,
    url.search.slice(1),
    `host:${url.host}\nx-amz-date:${time}\n`,
    names,
    hash("sha256", body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, hash("sha256", canonical)].join("\n");
  const secret = Buffer.from(credentials.secretAccessKey, "utf8");
  const { accessKeyId } = credentials;
  const signingScope = { accessKeyId, scopeDate: date, region, service: "sealpost" };
  const key = deriveSigningKey(secret, signingScope);
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  key.fill(0);
  return {
    host: url.host,
    "x-amz-date": time,
    "content-type": "application/json",
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${names}, Signature=${signature}`,
  };
}

/**
 * The answer of the running server as it comes. Ends with an error if the server could not finish
 * it. Throws CliError as `askServer` does.
 */
export async function streamFromServer(
  server: ServerFile,
  credentials: RootCredentials,
  request: AdminRequest,
  now: EpochMs,
): Promise<AsyncIterable<Buffer>> {
  const body = JSON.stringify(request.body ?? {});
  const { url, headers } = signedRequest(server, credentials, request, body, now);
  const response = await answerOf(url, request.method, headers, body, server.caFile);
  if (response.statusCode === 200) return response;
  throw refused(response.statusCode ?? 0, parse(await textOf(response)));
}

/** Moving the clock by years runs much that became due. */
const answerMsMax = 600_000;

/** Sends a signed request to the server. */
export async function exchange(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: string,
  caFile: string | null,
): Promise<{ status: number; text: string }> {
  const response = await answerOf(url, method, headers, body, caFile);
  return { status: response.statusCode ?? 0, text: await textOf(response) };
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function answerOf(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body: string,
  caFile: string | null,
): Promise<http.IncomingMessage> {
  const ca = caFile === null ? undefined : readFileSync(caFile, "utf8");
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? https.request : http.request;
    const request = send(url, { method, headers, ca, agent: false, timeout: answerMsMax });
    request.on("response", resolve);
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", (error) => {
      reject(new CliError(`the server at ${url.origin} cannot be reached: ${error.message}`));
    });
    request.end(body);
  });
}
