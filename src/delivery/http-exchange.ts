import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { portOf, reachThrough } from "./open-targets.ts";
import type { Targets } from "./targets.ts";

/** One request to an address outside, bounded in time and size; redirects are not followed. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface IncomingAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of it. */
  readonly text: string;
}

/** AWS: endpoints have 15 seconds to answer. System time: sockets know no other. */
export const answerMsMax = 15_000;
const answerBytesMax = 16_384;

/** Throws TargetRefused, errors of name resolution and of sockets, and Error `timeout`. */
export async function exchange(
  targets: Targets,
  { url, headers, body }: OutgoingRequest,
  timeoutMs = answerMsMax,
): Promise<IncomingAnswer> {
  const secure = url.protocol === "https:";
  const deadline = AbortSignal.timeout(timeoutMs);
  const lookup = await within(deadline, reachThrough(targets)(url));
  const bytes = Buffer.from(body, "utf8");
  const options = {
    method: "POST",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: portOf(url),
    path: url.pathname + url.search,
    headers: { ...headers, "Content-Length": String(bytes.length) },
    lookup,
    agent: false,
    signal: deadline,
  };
  return new Promise((resolve, reject) => {
    const sent = secure
      ? requestHttps(options, (answer) => read(sent, answer, resolve, reject))
      : requestHttp(options, (answer) => read(sent, answer, resolve, reject));
    sent.on("error", (error) => reject(deadline.aborted ? new Error("timeout") : error));
    sent.end(bytes);
  });
}

function read(
  sent: ClientRequest,
  answer: IncomingMessage,
  resolve: (answer: IncomingAnswer) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const end = () => {
    const text = Buffer.concat(chunks).subarray(0, answerBytesMax).toString("utf8");
    resolve({ statusCode: answer.statusCode ?? 0, headers: answer.headers, text });
  };
  answer.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < answerBytesMax) return;
    end();
    sent.destroy();
  });
  answer.on("end", end);
  answer.on("error", reject);
}

/** The answer of an act, or Error `timeout` once the signal says so. */
export async function within<T>(signal: AbortSignal, act: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const onAbort = () => late.reject(new Error("timeout"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([act, late.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
