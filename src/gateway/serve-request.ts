import type { Socket } from "node:net";
import { bag } from "../kernel/bag.ts";
import type { PrivateEndpoint } from "../kernel/call.ts";
import type { Log } from "../kernel/log.ts";
import { giveBack } from "../kernel/memory.ts";
import { isPromise } from "../kernel/soon.ts";
import type { AddressSet } from "./addresses.ts";
import type { SlowWatch } from "./body.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { Carrier, Connection } from "./carrier.ts";
import type { Admission, GatewayRefusal, Handler, HttpReply } from "./exchange.ts";
import type { GatewayLimits } from "./limits.ts";
import { LiveExchange } from "./live-exchange.ts";
import { peerOf, transportFactsOf } from "./peer.ts";
import { lingerAtClose, refuseRaw, textReply } from "./refusals.ts";

export interface RequestServerOptions<A> {
  readonly handler: Handler<A>;
  readonly limits: GatewayLimits;
  readonly trustedProxies: AddressSet;
  readonly endpoint?: PrivateEndpoint;
  readonly budget: BodyBudget;
  readonly watch: SlowWatch;
  readonly log: Log;
}

export interface RequestServer {
  serve(carrier: Carrier): void;
  connectionOf(socket: Socket): Connection;
  /** Answers from now on end their connections; long polls are told to end. */
  drain(): void;
  inFlight(): number;
  /** Resolves once nothing is in work. */
  idle(): Promise<void>;
}

interface Turn {
  readonly carrier: Carrier;
  readonly exchange: LiveExchange;
}

/** The life of an HTTP request: head, admission, room for the body, body, handler, reply. */
export function requestServer<A>(options: RequestServerOptions<A>): RequestServer {
  const { handler, limits, budget, log } = options;
  const connections = new WeakMap<Socket, Connection>();
  const live = bag<LiveExchange>();
  let draining = false;
  let onIdle: (() => void) | undefined;

  function connectionOf(socket: Socket): Connection {
    let connection = connections.get(socket);
    if (connection === undefined) {
      const peer = peerOf(socket, options.trustedProxies);
      connection = { peer, inFlight: 0, latest: undefined, broken: undefined };
      connections.set(socket, connection);
    }
    return connection;
  }

  function reply(turn: Turn, answer: HttpReply): void {
    turn.carrier.reply(answer, draining);
  }

  /** Answers without having read the body. A short one is read past; a long one ends the line. */
  function replyEarly({ carrier }: Turn, answer: HttpReply, slow = false): void {
    const unread = carrier.announcedBytes ?? Number.POSITIVE_INFINITY;
    const readPast = unread <= 64 * 1024 && !carrier.expectsContinue && !slow;
    if (readPast || carrier.complete) {
      carrier.reply(answer, draining);
    } else {
      lingerAtClose(carrier.socket, limits.lingerMs);
      carrier.reply(answer, true);
    }
  }

  function refuse(turn: Turn, refusal: GatewayRefusal): void {
    replyEarly(turn, handler.refuse(turn.exchange, refusal), refusal === "body-too-slow");
  }

  async function run(turn: Turn): Promise<void> {
    const { carrier, exchange } = turn;
    const announced = carrier.announcedBytes;
    if (announced !== undefined && announced > limits.bodyBytesMax) {
      return refuse(turn, "body-too-large");
    }
    const admitting = handler.admit(exchange);
    // Most admissions are decided at once; those go on within this turn of the event loop.
    const admission: Admission<A> = isPromise(admitting) ? await admitting : admitting;
    if ("refuse" in admission) return replyEarly(turn, admission.refuse);
    const bytesMax = Math.min(admission.bodyBytesMax, limits.bodyBytesMax);
    if (announced !== undefined && announced > bytesMax) return refuse(turn, "body-too-large");

    let reservedBytes = announced ?? bytesMax;
    const address = carrier.connection.peer.limitedAs;
    if (!budget.reserveNow(reservedBytes, address)) {
      const reserved = await budget.reserve(reservedBytes, address, exchange.signal);
      if (!reserved) return refuse(turn, "busy");
    }
    exchange.whenProven = () => budget.prove(reservedBytes, address);
    try {
      if (carrier.expectsContinue) carrier.sendContinue();
      const reading = announced === 0 ? emptyBody : carrier.readBody(bytesMax, options.watch);
      const body = isPromise(reading) ? await reading : reading;
      if (body === "gone") return;
      if (typeof body === "string") return refuse(turn, body);
      // Chunked: nobody knew. A long poll would hold the most that it might have sent.
      budget.shrink(reservedBytes, body.length, address);
      reservedBytes = body.length;
      reply(turn, await handler.handle(exchange, body, admission.context));
      giveBack(body);
    } finally {
      exchange.bodyAuthenticated();
      budget.release(reservedBytes);
    }
  }

  async function runSafely(turn: Turn): Promise<void> {
    try {
      await run(turn);
    } catch (error) {
      log.error("a request handler failed", { error });
      failed(turn);
    }
  }

  /** The last stop: nothing may be thrown past here. */
  function failed(turn: Turn): void {
    try {
      refuse(turn, "internal");
    } catch (error) {
      log.error("a refusal could not be formed", { error });
      turn.carrier.socket.destroy();
    }
  }

  function over({ carrier, exchange }: Turn, answered: boolean): void {
    const { connection } = carrier;
    live.remove(exchange);
    if (!answered) exchange.abort();
    connection.inFlight--;
    if (connection.inFlight === 0 && connection.broken !== undefined) {
      refuseRaw(carrier.socket, connection.broken, limits.lingerMs);
    }
    if (live.size === 0) onIdle?.();
  }

  return {
    connectionOf,
    serve(carrier) {
      const { connection, head, socket } = carrier;
      if (connection.inFlight >= limits.pipelinedMax) {
        log.warn("connection cut: too many requests in a row", {
          address: connection.peer.address,
        });
        socket.destroy();
        return;
      }
      const facts = transportFactsOf(head.headers, connection.peer, options.trustedProxies);
      if (facts === undefined) {
        lingerAtClose(socket, limits.lingerMs);
        return carrier.reply(textReply(400, "the Host header is malformed"), true);
      }
      const { endpoint } = options;
      const exchange = new LiveExchange(head, endpoint ? { ...facts, endpoint } : facts);
      const turn = { carrier, exchange };
      connection.inFlight++;
      live.add(exchange);
      carrier.onOver((answered) => over(turn, answered));
      if (draining) exchange.abort();
      void runSafely(turn);
    },
    drain() {
      draining = true;
      for (const exchange of live.items) exchange.abort();
    },
    inFlight: () => live.size,
    idle() {
      if (live.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
  };
}

const emptyBody = Buffer.alloc(0);
