import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import type { EpochMs } from "../kernel/clock.ts";
import type { Buckets } from "../services/cloudtrail/ports.ts";
import { isSealed } from "./form.ts";
import { ObjectError, type Objects } from "./objects.ts";
import { encodeText, type SigningCredentials, signRequest } from "./sign.ts";

export interface S3Options {
  /** `https://host:port`; buckets are the first part of the path. */
  readonly endpoint: string;
  readonly credentials: SigningCredentials;
  /** System time. */
  readonly now: () => EpochMs;
  /** How a connection finds the endpoint's address. Rejects where it must not go there. */
  readonly reach: (endpoint: URL) => Promise<LookupFunction>;
  /** A request that takes longer fails. */
  readonly answerMsMax: number;
}

/** A bucket service that speaks the S3 wire: the few calls that trails need. */
export interface S3 extends Objects {
  find: Buckets["find"];
}

const gzipHeaders = { "content-type": "application/json", "content-encoding": "gzip" };
const sealedHeaders = { "content-type": "application/octet-stream" };

const keysMax = 1000;
/** What a file of a trail, or a page of keys, can have at most. */
const answerBytesMax = 256 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

interface Request {
  readonly method: "GET" | "PUT" | "HEAD";
  readonly region: string;
  /** `/bucket/key`, not encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export function s3Objects(options: S3Options): S3 {
  const send = (request: Request) => exchange(options, request);
  return {
    async put({ bucket, region }, key, { bytes, metadata }) {
      const headers: Record<string, string> = {
        ...(isSealed(bytes) ? sealedHeaders : gzipHeaders),
        "x-amz-acl": "bucket-owner-full-control",
      };
      for (const [name, value] of Object.entries(metadata)) headers[`x-amz-meta-${name}`] = value;
      const path = `/${bucket}/${key}`;
      const answer = await send({ method: "PUT", region, path, headers, body: bytes });
      if (answer.status !== 200) throw refused(answer);
    },
    async get({ bucket, region }, key) {
      const answer = await send({ method: "GET", region, path: `/${bucket}/${key}` });
      if (answer.status === 200) return answer.body;
      const error = refused(answer);
      if (error.code === "NoSuchKey") return undefined;
      throw error;
    },
    async list({ bucket, region }, prefix) {
      const keys: string[] = [];
      let token: string | undefined;
      do {
        const query: Record<string, string> = {
          "list-type": "2",
          prefix,
          "max-keys": String(keysMax),
          ...(token !== undefined && { "continuation-token": token }),
        };
        const answer = await send({ method: "GET", region, path: `/${bucket}`, query });
        if (answer.status !== 200) throw refused(answer);
        const text = answer.body.toString("utf8");
        keys.push(...elements(text, "Key"));
        token = elements(text, "NextContinuationToken")[0];
      } while (token !== undefined);
      return keys.sort();
    },
    async find(bucket, region) {
      const { status } = await send({ method: "HEAD", region, path: `/${bucket}` });
      if (status === 200) return "there";
      return status === 404 ? "absent" : "denied";
    },
  };
}

function refused({ status, body }: Answer): ObjectError {
  const text = body.toString("utf8", 0, 4096);
  const code = elements(text, "Code")[0] ?? (status === 404 ? "NoSuchKey" : `HTTP ${status}`);
  return new ObjectError(code, `the bucket answered ${status} ${code}`);
}

/** Texts of the elements of one name. The documents are flat enough for it. */
function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"));
  return [...found].map(([, text = ""]) => unescapeXml(text));
}

const entities: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescapeXml(text: string): string {
  return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
    return entities[name] ?? whole;
  });
}

async function exchange(options: S3Options, request: Request): Promise<Answer> {
  const { method, region, path, query = {}, headers = {}, body = new Uint8Array() } = request;
  const url = new URL(options.endpoint);
  url.pathname = path.split("/").map(encodeText).join("/");
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const search = [...url.searchParams]
    .map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`)
    .join("&");
  const unsigned = { method, url, headers, body, service: "s3", region };
  const signed = signRequest(unsigned, options.credentials, options.now());
  const unreachable = (error: Error) =>
    new ObjectError("Unreachable", error.message, { cause: error });
  const lookup = await options.reach(url).catch((error: Error) => {
    throw unreachable(error);
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(unreachable(error));
    const client = url.protocol === "https:" ? https : http;
    const sent = client.request({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      lookup,
      port: url.port,
      path: url.pathname + (search === "" ? "" : `?${search}`),
      method,
      headers: { ...signed, "content-length": body.length },
      timeout: options.answerMsMax,
    });
    sent.on("timeout", () => sent.destroy(new Error("the bucket gave no answer in time")));
    sent.on("error", fail);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > answerBytesMax) sent.destroy(new Error("the bucket's answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      });
    });
    sent.end(body);
  });
}
