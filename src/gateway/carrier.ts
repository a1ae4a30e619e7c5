import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { headerValues } from "../auth/canonical.ts";
import { announcedBytes, type BodyResult, readBody, type SlowWatch } from "./body.ts";
import type { HttpReply } from "./exchange.ts";
import type { Peer } from "./peer.ts";
import { type Malformed, sendReply } from "./refusals.ts";
import type { RequestHead } from "./request-head.ts";

/** What one connection is doing. */
export interface Connection {
  readonly peer: Peer;
  inFlight: number;
  /** The request that came last; the only one that may not be whole yet. */
  latest: { readonly request: IncomingMessage; readonly response: ServerResponse } | undefined;
  /** Malformed bytes came: answered once what came before them is. */
  broken: Malformed | undefined;
}

/** One request and the way back to its sender, whoever reads the connection. */
export interface Carrier {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly head: RequestHead;
  /** Length of the body in bytes; undefined: chunked; 0: there is none. */
  readonly announcedBytes: number | undefined;
  /** The client waits for leave to send its body. */
  readonly expectsContinue: boolean;
  /** The whole body has arrived. */
  readonly complete: boolean;
  sendContinue(): void;
  /** At most `bytesMax`; `watch` cuts a body that comes too slowly. */
  readBody(bytesMax: number, watch: SlowWatch): BodyResult | Promise<BodyResult>;
  /** Sends the answer, once; `close` ends the connection after it. */
  reply(answer: HttpReply, close: boolean): void;
  /** Called once when nothing more happens to the request; false: its answer did not go out. */
  onOver(over: (answered: boolean) => void): void;
}

/** A request that `node:http` reads. */
export function nodeCarrier(
  connection: Connection,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): Carrier {
  const { method = "", url = "/", rawHeaders, socket } = request;
  return {
    socket,
    connection,
    head: { method, target: url, headers: headerValues(rawHeaders) },
    announcedBytes: announcedBytes(request),
    expectsContinue,
    get complete() {
      return request.complete;
    },
    sendContinue: () => response.writeContinue(),
    readBody: (bytesMax, watch) => readBody(request, bytesMax, watch),
    reply: (answer, close) => sendReply(response, answer, close),
    onOver: (over) => void response.on("close", () => over(response.writableFinished)),
  };
}
