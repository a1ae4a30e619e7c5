import type { Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { Log } from "../kernel/log.ts";
import { type AddressSet, isLoopbackAddress, plainAddress } from "./addresses.ts";
import type { GatewayLimits } from "./limits.ts";
import { networkOf } from "./peer.ts";
import { refuseRaw } from "./refusals.ts";

export interface SnifferOptions {
  /** Takes a connection that speaks plain HTTP. */
  readonly plain: (socket: Socket) => void;
  readonly secure: TlsServer;
  readonly tlsOnly: boolean;
  readonly trustedProxies: AddressSet;
  readonly limits: GatewayLimits;
  readonly log: Log;
}

/** Tells TLS from plain HTTP by the first byte of each connection. */
export interface Sniffer {
  readonly accept: (socket: Socket) => void;
  /** Closes the connections that have not sent a byte. */
  destroyWaiting(): void;
  destroyAll(): void;
}

/** First byte of a TLS handshake record; no HTTP method begins with it. */
const tlsHandshakeByte = 0x16;

const httpsOnly = { status: "400 Bad Request", message: "this port speaks HTTPS only" };

export function sniffer(options: SnifferOptions): Sniffer {
  const { limits } = options;
  const sockets = new Set<Socket>();
  const waiting = new Set<Socket>();
  const countByAddress = new Map<string, number>();

  /** false: the address has as many connections as it may. */
  function count(socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress ?? "");
    if (isLoopbackAddress(address) || options.trustedProxies.has(address)) return true;
    const network = networkOf(address);
    const connections = (countByAddress.get(network) ?? 0) + 1;
    if (connections > limits.connectionsPerAddressMax) return false;
    countByAddress.set(network, connections);
    socket.once("close", () => {
      const left = (countByAddress.get(network) ?? 1) - 1;
      if (left > 0) countByAddress.set(network, left);
      else countByAddress.delete(network);
    });
    return true;
  }

  function handOver(socket: Socket, firstBytes: Buffer): void {
    waiting.delete(socket);
    socket.setTimeout(0);
    socket.off("timeout", destroy);
    socket.pause();
    // Put back unread: the TLS layer and the HTTP parser both begin with what is buffered.
    socket.unshift(firstBytes);
    if (firstBytes[0] === tlsHandshakeByte) {
      options.secure.emit("connection", socket);
      return;
    }
    if (options.tlsOnly) {
      refuseRaw(socket, httpsOnly, limits.lingerMs);
    } else {
      options.plain(socket);
    }
    socket.resume();
  }

  return {
    accept(socket) {
      if (!count(socket)) {
        options.log.warn("connection refused: too many from one address", {
          address: socket.remoteAddress,
        });
        socket.destroy();
        return;
      }
      sockets.add(socket);
      waiting.add(socket);
      socket.once("close", () => {
        sockets.delete(socket);
        waiting.delete(socket);
      });
      socket.setTimeout(limits.headerMs);
      socket.on("timeout", destroy).on("error", destroy);
      socket.once("end", destroy);
      socket.once("data", (firstBytes: Buffer) => {
        socket.off("end", destroy);
        handOver(socket, firstBytes);
      });
    },
    destroyWaiting() {
      for (const socket of waiting) socket.destroy();
    },
    destroyAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function destroy(this: Socket): void {
  this.destroy();
}
