const mebibyte = 1024 * 1024;

/** What one gateway accepts. Times in milliseconds. */
export interface GatewayLimits {
  /** From the first byte of a connection or request to the end of its head. */
  readonly headerMs: number;
  /** How often waiting heads are looked at. */
  readonly headerCheckMs: number;
  readonly headerBytesMax: number;
  /** Longest body of any request; an operation may have a lower limit. */
  readonly bodyBytesMax: number;
  /** A body must make `bodyBytesPerWindowMin` of progress in each whole window. */
  readonly bodyWindowMs: number;
  readonly bodyBytesPerWindowMin: number;
  /** Bodies whose sender is not proven yet, all together. */
  readonly unauthenticatedBytesMax: number;
  /** The same for one address (loopback and trusted proxies excepted). */
  readonly unauthenticatedBytesPerAddressMax: number;
  /** A body of more bytes is large. */
  readonly smallBodyBytesMax: number;
  /** Large bodies among the unproven: what is left beside them is for small ones. */
  readonly unauthenticatedLargeBytesMax: number;
  /**
   * Large bodies, proven or not, from before they are read until they are answered, all together.
   * On its way a message is held about five times: body, texts, sealed, for the store.
   */
  readonly largeBytesMax: number;
  /**
   * Requests that may wait for room. Node holds up to 64 KiB of each, so together with
   * `unauthenticatedBytesMax` they stay within 64 MiB.
   */
  readonly waitingMax: number;
  readonly waitingMs: number;
  readonly connectionsMax: number;
  /** Loopback and trusted proxies excepted. An IPv6 address counts by its /64 network. */
  readonly connectionsPerAddressMax: number;
  /** Requests in work on one connection (HTTP pipelining). */
  readonly pipelinedMax: number;
  /** How long an idle connection is kept. Longer than the clients' own so that they close first. */
  readonly keepAliveMs: number;
  /** A connection that makes no progress for so long is cut, also in the midst of an answer. */
  readonly inactiveMs: number;
  /** How long a refused sender may go on before its connection is cut. */
  readonly lingerMs: number;
  /** Time that requests get to finish when the server stops. */
  readonly stopMs: number;
}

/** The limits of a whole server, for each of several gateways that share its port. */
export function limitsOfOne(limits: GatewayLimits, gateways: number): GatewayLimits {
  const part = (whole: number, least = 1) => Math.max(least, Math.ceil(whole / gateways));
  return {
    ...limits,
    unauthenticatedBytesMax: part(limits.unauthenticatedBytesMax, limits.bodyBytesMax),
    unauthenticatedBytesPerAddressMax: part(
      limits.unauthenticatedBytesPerAddressMax,
      limits.bodyBytesMax,
    ),
    unauthenticatedLargeBytesMax: part(limits.unauthenticatedLargeBytesMax, limits.bodyBytesMax),
    largeBytesMax: part(limits.largeBytesMax, limits.bodyBytesMax),
    waitingMax: part(limits.waitingMax),
    connectionsMax: part(limits.connectionsMax),
    connectionsPerAddressMax: part(limits.connectionsPerAddressMax),
  };
}

export const defaultLimits: GatewayLimits = Object.freeze({
  headerMs: 10_000,
  headerCheckMs: 1_000,
  headerBytesMax: 16 * 1024,
  bodyBytesMax: 8 * mebibyte,
  bodyWindowMs: 5_000,
  bodyBytesPerWindowMin: 20 * 1024,
  unauthenticatedBytesMax: 48 * mebibyte,
  unauthenticatedBytesPerAddressMax: 16 * mebibyte,
  smallBodyBytesMax: 16 * 1024,
  unauthenticatedLargeBytesMax: 32 * mebibyte,
  largeBytesMax: 48 * mebibyte,
  waitingMax: 256,
  waitingMs: 10_000,
  connectionsMax: 20_000,
  connectionsPerAddressMax: 1_024,
  pipelinedMax: 64,
  keepAliveMs: 65_000,
  inactiveMs: 120_000,
  lingerMs: 1_000,
  stopMs: 8_000,
});
