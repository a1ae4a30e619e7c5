/**
 * The floor: a bare `node:http` or `node:https` server that reads a body and answers one of the
 * length of a SendMessage answer. With a file as last argument it also hashes each body and has it
 * on disk before it answers; bodies that came meanwhile share one fsync.
 * `node bench/floor.ts <http|https> <key file> <cert file> [file to write]`; prints its port.
 */
import { hash } from "node:crypto";
import { fdatasync, openSync, readFileSync, writev } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

const [scheme, keyFile = "", certFile = "", written] = process.argv.slice(2);
const answer = Buffer.from(
  JSON.stringify({ MD5OfMessageBody: "0".repeat(32), MessageId: "0".repeat(36) }),
);
const headers = { "content-type": "application/x-amz-json-1.0", "content-length": answer.length };
const file = written === undefined ? undefined : openSync(written, "w");

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
    const body = Buffer.concat(chunks);
    const reply = (): void => {
      response.writeHead(200, headers);
      response.end(answer);
    };
    if (file === undefined) reply();
    else keep(file, body, reply);
  });
}

/** Bodies that wait for the write under way, and who is told once they are on disk. */
let bodies: Buffer[] = [];
let waiting: (() => void)[] = [];
let writing = false;

function keep(to: number, body: Buffer, then: () => void): void {
  hash("sha256", body, "buffer");
  bodies.push(body);
  waiting.push(then);
  if (!writing) write(to);
}

function write(to: number): void {
  writing = true;
  const [now, replies] = [bodies, waiting];
  bodies = [];
  waiting = [];
  writev(to, now, (failed) => {
    if (failed) throw failed;
    fdatasync(to, (unsynced) => {
      if (unsynced) throw unsynced;
      writing = false;
      for (const reply of replies) reply();
      if (bodies.length > 0) write(to);
    });
  });
}
