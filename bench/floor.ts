/**
 * The floor: a bare `node:http` or `node:https` server that reads a body and answers one of the
 * length of a SendMessage answer. `node bench/floor.ts <http|https> <key file> <cert file>`; prints
 * its port.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

const [scheme, keyFile = "", certFile = ""] = process.argv.slice(2);
const answer = Buffer.from(
  JSON.stringify({ MD5OfMessageBody: "0".repeat(32), MessageId: "0".repeat(36) }),
);
const headers = { "content-type": "application/x-amz-json-1.0", "content-length": answer.length };

const server =
  scheme === "https"
    ? https.createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, respond)
    : http.createServer(respond);
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
process.on("SIGTERM", () => process.exit(0));

function respond(request: http.IncomingMessage, response: http.ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    Buffer.concat(chunks);
    response.writeHead(200, headers);
    response.end(answer);
  });
}
