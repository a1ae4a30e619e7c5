import http from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import type { PrivateEndpoint } from "../kernel/call.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { AddressSet } from "./addresses.ts";
import { slowWatch } from "./body.ts";
import { bodyBudget } from "./body-budget.ts";
import { nodeCarrier } from "./carrier.ts";
import { directLane } from "./direct-lane.ts";
import type { Handler } from "./exchange.ts";
import type { GatewayLimits } from "./limits.ts";
import { refuseOccupiedPort } from "./port.ts";
import { type Malformed, refuseRaw } from "./refusals.ts";
import { type RequestServer, requestServer } from "./serve-request.ts";
import { sniffer } from "./sniffer.ts";

export interface GatewayOptions<A> {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Key and certificate chain in PEM. */
  readonly tls: TlsMaterial;
  /**
   * Several gateways of this process share the port: the first one of them, or one that comes after
   * it. Absent: this one has it alone.
   */
  readonly sharing?: "first" | "further" | undefined;
  /** Refuse plain HTTP. */
  readonly tlsOnly: boolean;
  readonly trustedProxies: AddressSet;
  readonly handler: Handler<A>;
  /** Every request through this listener came through a private endpoint. */
  readonly endpoint?: PrivateEndpoint;
  readonly limits: GatewayLimits;
  /** Answers carry its time. */
  readonly systemClock: Pick<Clock, "now">;
  readonly log: Log;
}

export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
}

export interface Gateway {
  readonly port: number;
  requestsInFlight(): number;
  /** New connections get this certificate from now on. */
  setTls(material: TlsMaterial): void;
  /** Accepts no more, lets requests finish, cuts what takes longer than `limits.stopMs`. */
  stop(): Promise<void>;
}

/**
 * Opens the one port that answers HTTPS and plain HTTP alike. Throws PortInUse if another process
 * listens there, or the system's error.
 */
export async function startGateway<A>(options: GatewayOptions<A>): Promise<Gateway> {
  const { limits, log } = options;
  const watch = slowWatch(limits);
  const requests = requestServer({ ...options, budget: bodyBudget(limits), watch });
  const server = http.createServer(httpOptions(limits));
  attach(server, requests, limits);
  const secure = createTlsServer({
    ...tlsOptions(options.tls),
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: limits.headerMs,
  });
  const lane = directLane({
    ...options,
    connectionOf: requests.connectionOf,
    serve: requests.serve,
    handOver: (socket) => void server.emit("connection", socket),
  });
  // Failed handshakes are everyday noise: scanners, clients without the CA.
  secure.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    log.debug("TLS handshake failed", { error });
    socket.destroy();
  });
  // INVARIANT: the facts of a TLS connection are read here, at the end of its handshake. Asking a
  // TLS socket for its protocol once it is destroyed crashes the process inside OpenSSL.
  secure.on("secureConnection", (socket: TLSSocket) => {
    requests.connectionOf(socket);
    lane.take(socket);
  });
  const sniff = sniffer({ ...options, plain: (socket) => lane.take(socket), secure });
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, sniff.accept);
  listener.maxConnections = limits.connectionsMax;
  listener.on("drop", () => log.warn("connection refused: too many"));
  if (options.sharing !== "further") await refuseOccupiedPort(options.host, options.port);
  const port = await listen(listener, options);
  // Out of file descriptors, for one: the next accept may work again.
  listener.on("error", (error) => log.error("a connection could not be accepted", { error }));
  return {
    port,
    requestsInFlight: () => requests.inFlight(),
    setTls: (material) => secure.setSecureContext(tlsOptions(material)),
    async stop() {
      listener.close();
      requests.drain();
      sniff.destroyWaiting();
      server.closeIdleConnections();
      lane.closeIdle();
      await drained(requests, limits.stopMs);
      sniff.destroyAll();
      watch.close();
      server.close();
      secure.close();
    },
  };
}

function httpOptions(limits: GatewayLimits): http.ServerOptions {
  return {
    headersTimeout: limits.headerMs,
    connectionsCheckingInterval: limits.headerCheckMs,
    // Bodies are watched by their rate; this only bounds what is read past after a refusal.
    requestTimeout: Math.max(300_000, limits.headerMs),
    maxHeaderSize: limits.headerBytesMax,
    keepAliveTimeout: limits.keepAliveMs,
  };
}

function tlsOptions(material: TlsMaterial): SecureContextOptions {
  return { key: material.key, cert: material.cert, minVersion: "TLSv1.2" };
}

/** What the direct lane leaves to `node:http`. */
function attach(server: http.Server, requests: RequestServer, limits: GatewayLimits): void {
  server.timeout = limits.inactiveMs;
  // Node would drop what exceeds its count without a word; the size of the head is limited.
  server.maxHeadersCount = 0;
  const serve = (expectsContinue: boolean) => {
    return (request: http.IncomingMessage, response: http.ServerResponse) => {
      const connection = requests.connectionOf(request.socket);
      connection.latest = { request, response };
      requests.serve(nodeCarrier(connection, request, response, expectsContinue));
    };
  };
  server.on("request", serve(false)).on("checkContinue", serve(true));
  server.on("clientError", (error: NodeJS.ErrnoException, stream) => {
    onMalformed(requests, error, stream as Socket, limits);
  });
  // The server never listens itself; this starts its watch over slow heads.
  server.emit("listening");
}

function onMalformed(
  requests: RequestServer,
  error: NodeJS.ErrnoException,
  socket: Socket,
  limits: GatewayLimits,
): void {
  // A handshake that failed is reported here as well; there is nobody to talk HTTP to.
  if (socket.destroyed || !socket.writable || endedBy.has(error.code ?? "")) {
    socket.destroy();
    return;
  }
  const connection = requests.connectionOf(socket);
  // A broken parser reports each further packet again.
  if (connection.broken !== undefined) return;
  connection.broken = malformedAnswers.get(error.code ?? "") ?? badRequest;
  const { inFlight, latest } = connection;
  // In the midst of a body: that request will never be whole. It is answered at once, unless it
  // has been, or others before it are still to be answered.
  const inBody = latest !== undefined && !latest.request.complete;
  if (inFlight === 0 || (inBody && inFlight === 1 && !latest.response.headersSent)) {
    refuseRaw(socket, connection.broken, limits.lingerMs);
  } else if (inBody) {
    socket.destroy();
  }
  // Else requests before the malformed one are answered first; the connection ends with the last.
}

/** The connection ended, perhaps within a request. */
const endedBy: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"]);
const badRequest: Malformed = {
  status: "400 Bad Request",
  message: "the request is malformed",
};
const malformedAnswers: ReadonlyMap<string, Malformed> = new Map([
  [
    "HPE_HEADER_OVERFLOW",
    {
      status: "431 Request Header Fields Too Large",
      message: "the head of the request is too long",
    },
  ],
  [
    "ERR_HTTP_REQUEST_TIMEOUT",
    { status: "408 Request Timeout", message: "the request came too slowly" },
  ],
]);

function listen(
  listener: ReturnType<typeof createServer>,
  { host, port, sharing }: Pick<GatewayOptions<unknown>, "host" | "port" | "sharing">,
): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    const reusePort = sharing !== undefined;
    listener.listen({ host, port, reusePort, backlog: 4096 }, () => {
      listener.off("error", reject);
      resolve((listener.address() as AddressInfo).port);
    });
  });
}

/** Waits until nothing is in work, at most `stopMs`. */
async function drained(requests: RequestServer, stopMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stopMs);
  });
  await Promise.race([requests.idle(), deadline]);
  clearTimeout(timer);
}
