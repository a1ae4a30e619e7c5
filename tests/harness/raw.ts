import http from "node:http";
import https from "node:https";

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Sends bytes as they are and answers what came back. */
export function sendRaw(request: {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly ca: string;
}): Promise<RawAnswer> {
  const url = new URL(request.url);
  const { method, headers, ca } = request;
  const path = request.url.slice(url.origin.length) || "/";
  const options = {
    host: url.hostname,
    port: url.port,
    method,
    path,
    headers,
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    const receive = (response: http.IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    };
    const sent =
      url.protocol === "https:"
        ? https.request({ ...options, ca }, receive)
        : http.request(options, receive);
    sent.on("error", reject);
    sent.end(request.body);
  });
}
