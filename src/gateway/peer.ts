import { isIP, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { HeaderValues } from "../auth/canonical.ts";
import { type AddressSet, isLoopbackAddress, plainAddress } from "./addresses.ts";
import type { TransportFacts } from "./exchange.ts";

/** What stays the same for all requests of one connection. */
export interface Peer {
  readonly address: string;
  /** TLS on this connection itself. */
  readonly tls: TransportFacts["tls"];
  /** Its forwarded headers count. */
  readonly trusted: boolean;
  /** Limits per address apply to this name; undefined: to nobody (loopback, trusted proxy). */
  readonly limitedAs: string | undefined;
  /** For a request that names no host (HTTP/1.0). */
  readonly localHost: string;
}

export function peerOf(socket: Socket, trustedProxies: AddressSet): Peer {
  const address = plainAddress(socket.remoteAddress ?? "");
  const trusted = trustedProxies.has(address);
  const local = plainAddress(socket.localAddress ?? "");
  return {
    address,
    tls: "encrypted" in socket ? tlsFacts(socket as TLSSocket) : undefined,
    trusted,
    limitedAs: trusted || isLoopbackAddress(address) ? undefined : networkOf(address),
    localHost: `${isIP(local) === 6 ? `[${local}]` : local}:${socket.localPort ?? 0}`,
  };
}

/** Never for a destroyed socket: OpenSSL's state is gone then, and asking for it crashes. */
function tlsFacts(socket: TLSSocket): TransportFacts["tls"] {
  if (socket.destroyed) return { version: "", cipherSuite: "" };
  return { version: socket.getProtocol() ?? "", cipherSuite: socket.getCipher()?.name ?? "" };
}

/** What limits count by: an IPv4 address, or the /64 network that one IPv6 host can fill. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Facts of one request; undefined if its Host header is not a host. */
export function transportFactsOf(
  headers: HeaderValues,
  peer: Peer,
  trustedProxies: AddressSet,
): TransportFacts | undefined {
  const host = headers.get("host") ?? peer.localHost;
  if (!hostPattern.test(host)) return undefined;
  const secure = peer.trusted
    ? forwardedSecure(headers.get("x-forwarded-proto"), peer.tls !== undefined)
    : peer.tls !== undefined;
  return {
    secure,
    sourceIp: peer.trusted
      ? forwardedSource(headers.get("x-forwarded-for"), peer.address, trustedProxies)
      : peer.address,
    userAgent: headers.get("user-agent") ?? "",
    baseUrl: `${secure ? "https" : "http"}://${host}`,
    tls: peer.tls,
  };
}

const hostPattern = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** The right-most entry is the one that the proxy we talk to has written. */
function forwardedSecure(header: string | undefined, otherwise: boolean): boolean {
  const last = entriesOf(header).at(-1);
  return last === undefined ? otherwise : last.toLowerCase() === "https";
}

function forwardedSource(
  header: string | undefined,
  peerAddress: string,
  trustedProxies: AddressSet,
): string {
  let source = peerAddress;
  for (const entry of entriesOf(header).reverse()) {
    const address = entryAddress(entry);
    // Whatever stands left of a text that is no address is as little to be believed.
    if (address === undefined) return source;
    source = address;
    if (!trustedProxies.has(address)) return source;
  }
  return source;
}

function entriesOf(header = ""): string[] {
  return header
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** `1.2.3.4`, `1.2.3.4:5678`, `::1` or `[::1]:5678`. */
function entryAddress(entry: string): string | undefined {
  const bracketed = /^\[([^\]]{2,45})\](?::\d{1,5})?$/.exec(entry)?.[1];
  const candidate = bracketed ?? (entry.includes(".") ? entry.replace(/:\d{1,5}$/, "") : entry);
  const plain = plainAddress(candidate);
  return isIP(plain) === 0 ? undefined : plain;
}
