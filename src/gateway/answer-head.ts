import { STATUS_CODES } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { assert } from "../kernel/errors.ts";
import type { HttpReply } from "./exchange.ts";
import type { GatewayLimits } from "./limits.ts";

export type HeadWriter = (
  status: number,
  headers: HttpReply["headers"],
  /** undefined: it comes in chunks. */
  bodyBytes: number | undefined,
  close: boolean,
) => string;

export interface HeadWriterOptions {
  readonly limits: Pick<GatewayLimits, "keepAliveMs">;
  /** For the Date header, from which clients correct their clocks. */
  readonly systemClock: Pick<Clock, "now">;
}

/** Heads of answers, with the headers that `node:http` adds. */
export function headWriter({ limits, systemClock }: HeadWriterOptions): HeadWriter {
  const keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(limits.keepAliveMs / 1000)}\r\n\r\n`;
  let second = Number.NaN;
  let date = "";
  return (status, headers, bodyBytes, close) => {
    const now = Math.floor(systemClock.now() / 1000);
    if (now !== second) {
      second = now;
      date = new Date(now * 1000).toUTCString();
    }
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    for (const name in headers) {
      const value = headers[name] ?? "";
      assert(headerValue.test(value), `the header ${name} would break the answer's head`);
      head += `${name}: ${value}\r\n`;
    }
    head += bodyBytes === undefined ? "transfer-encoding: chunked" : `content-length: ${bodyBytes}`;
    head += `\r\nDate: ${date}\r\n`;
    return head + (close ? "Connection: close\r\n\r\n" : keepAlive);
  };
}

const headerValue = /^[\t -~]*$/;

/** Parts of an answer of unknown length, as HTTP frames them. */
export async function* chunked(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    if (part.length === 0) continue;
    yield Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, crlf]);
  }
  yield Buffer.from("0\r\n\r\n");
}

const crlf = Buffer.from("\r\n");
