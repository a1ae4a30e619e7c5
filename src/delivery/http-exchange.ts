import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import type { Target, Targets } from "./targets.ts";

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
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const deadline = AbortSignal.timeout(timeoutMs);
  const target = await within(deadline, targets.resolve(url.hostname, port));
  const bytes = Buffer.from(body, "utf8");
  const options = {
    method: "POST",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    path: url.pathname + url.search,
    headers: { ...headers, "Content-Length": String(bytes.length) },
    lookup: answerWith(target),
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

/** INVARIANT: the socket goes to the address that was checked; nothing is resolved anew. */
function answerWith({ address, family }: Target): LookupFunction {
  return (_host, options, done) => {
    if (options.all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
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

async function within<T>(signal: AbortSignal, act: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const onAbort = () => late.reject(new Error("timeout"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([act, late.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
