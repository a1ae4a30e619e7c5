import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline, Readable } from "node:stream";
import type { HttpReply } from "./exchange.ts";

/** Sends a reply; `close` ends the connection after it. */
export function sendReply(response: ServerResponse, reply: HttpReply, close: boolean): void {
  if (response.headersSent || response.destroyed) return;
  const headers: Record<string, string | number> = { ...reply.headers };
  const { body } = reply;
  const whole = typeof body === "string" || Buffer.isBuffer(body);
  if (whole) headers["content-length"] = Buffer.byteLength(body);
  if (close) headers.connection = "close";
  response.writeHead(reply.status, headers);
  if (whole) response.end(body);
  // It destroys what it cannot finish; whoever made the sequence has said why.
  else pipeline(Readable.from(body, { objectMode: false }), response, () => {});
}

/**
 * Lets the end of a connection be heard: a socket that is closed while bytes of a refused body
 * still arrive resets, and the client loses the answer that says why. So after the answer the
 * sending half is ended, what comes is thrown away, and after `lingerMs` the socket goes.
 */
export function lingerAtClose(socket: Socket, lingerMs: number): void {
  // Node's HTTP server calls destroySoon on the last answer of a connection.
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
  };
}

/** What bytes that never became a request are answered. */
export interface Malformed {
  /** `400 Bad Request` */
  readonly status: string;
  readonly message: string;
}

/** Answers bytes that never became a request, and ends the connection. */
export function refuseRaw(socket: Socket, malformed: Malformed, lingerMs: number): void {
  const { status, message } = malformed;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  lingerAtClose(socket, lingerMs);
  socket.on("error", () => socket.destroy());
  socket.write(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(message) + 1}\r\nconnection: close\r\n\r\n${message}\n`,
  );
  socket.destroySoon();
}

/** A plain text reply, for what is refused before any service is known. */
export function textReply(status: number, message: string): HttpReply {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: `${message}\n`,
  };
}
