/**
 * Bytes of bodies that may be held: for senders who are not proven yet, in all and per address, and
 * in large bodies, whoever sent them. Room is reserved for a whole body before it is read, so that
 * no two halves ever wait for each other.
 */
export interface BodyBudget {
  /**
   * Reserves room now, or waits in line for it. false: the line is full, the wait took too long,
   * or `gone` (the client left) came first.
   */
  reserve(bytes: number, address: string | undefined, gone: AbortSignal): Promise<boolean>;
  /** Reserves room if nobody waits and there is some. Never waits. */
  reserveNow(bytes: number, address: string | undefined): boolean;
  /** A reserved body was read and is shorter than it might have been: the rest is free. */
  shrink(bytes: number, toBytes: number, address: string | undefined): void;
  /** A reserved body is one of a proven sender, or will be none: the first of two steps. */
  prove(bytes: number, address: string | undefined): void;
  /** Its request is over: the second. */
  release(bytes: number): void;
  /** Of senders who are not proven. */
  usedBytes(): number;
}

export interface BodyBudgetLimits {
  readonly unauthenticatedBytesMax: number;
  readonly unauthenticatedBytesPerAddressMax: number;
  readonly smallBodyBytesMax: number;
  readonly unauthenticatedLargeBytesMax: number;
  readonly largeBytesMax: number;
  readonly waitingMax: number;
  readonly waitingMs: number;
}

interface Waiter {
  readonly bytes: number;
  readonly address: string | undefined;
  readonly settle: (reserved: boolean) => void;
}

/** A number of bytes that never grows beyond the most that it may be. */
class Room {
  readonly #bytesMax: number;
  usedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  has(bytes: number): boolean {
    return this.usedBytes + bytes <= this.#bytesMax;
  }
}

export function bodyBudget(limits: BodyBudgetLimits): BodyBudget {
  const unproven = new Room(limits.unauthenticatedBytesMax);
  const unprovenLarge = new Room(limits.unauthenticatedLargeBytesMax);
  const large = new Room(limits.largeBytesMax);
  const ofAddresses = new Map<string, Room>();
  const lines = { small: new Set<Waiter>(), large: new Set<Waiter>() };

  const isLarge = (bytes: number): boolean => bytes > limits.smallBodyBytesMax;
  const lineOf = (bytes: number): Set<Waiter> => (isLarge(bytes) ? lines.large : lines.small);

  function roomOf(address: string | undefined): Room | undefined {
    if (address === undefined) return undefined;
    return ofAddresses.get(address) ?? new Room(limits.unauthenticatedBytesPerAddressMax);
  }

  function take(bytes: number, address: string | undefined): boolean {
    const ofAddress = roomOf(address);
    if (!unproven.has(bytes) || ofAddress?.has(bytes) === false) return false;
    if (isLarge(bytes)) {
      if (!unprovenLarge.has(bytes) || !large.has(bytes)) return false;
      large.usedBytes += bytes;
    }
    count(bytes, address, ofAddress);
    return true;
  }

  /** Bytes of an unproven sender come, or go if they are negative. */
  function count(bytes: number, address: string | undefined, ofAddress = roomOf(address)): void {
    unproven.usedBytes += bytes;
    if (isLarge(Math.abs(bytes))) unprovenLarge.usedBytes += bytes;
    if (address === undefined || ofAddress === undefined) return;
    ofAddress.usedBytes += bytes;
    if (ofAddress.usedBytes > 0) ofAddresses.set(address, ofAddress);
    else ofAddresses.delete(address);
  }

  /**
   * In order of arrival, so that no body waits for room that later and shorter ones take; but one
   * address that is at its own limit does not hold up the others, nor a large body the small ones.
   */
  function serve(line: Set<Waiter>): void {
    for (const { bytes, address, settle } of line) {
      if (roomOf(address)?.has(bytes) === false) continue;
      if (!take(bytes, address)) return;
      settle(true);
    }
  }

  function serveLines(): void {
    if (lines.small.size > 0) serve(lines.small);
    if (lines.large.size > 0) serve(lines.large);
  }

  return {
    usedBytes: () => unproven.usedBytes,
    reserveNow: (bytes, address) => lineOf(bytes).size === 0 && take(bytes, address),
    shrink(bytes, toBytes, address) {
      if (toBytes === bytes) return;
      count(-bytes, address);
      count(toBytes, address);
      if (isLarge(bytes)) large.usedBytes -= bytes;
      if (isLarge(toBytes)) large.usedBytes += toBytes;
      serveLines();
    },
    prove(bytes, address) {
      count(-bytes, address);
      serveLines();
    },
    release(bytes) {
      if (!isLarge(bytes)) return;
      large.usedBytes -= bytes;
      serveLines();
    },
    reserve(bytes, address, gone) {
      const waiting = lines.small.size + lines.large.size;
      if (waiting >= limits.waitingMax || gone.aborted) return Promise.resolve(false);
      const line = lineOf(bytes);
      return new Promise((resolve) => {
        const settle = (reserved: boolean): void => {
          clearTimeout(timer);
          gone.removeEventListener("abort", giveUp);
          line.delete(waiter);
          resolve(reserved);
        };
        const giveUp = (): void => {
          settle(false);
          // It may have held up the others.
          serve(line);
        };
        const timer = setTimeout(giveUp, limits.waitingMs);
        timer.unref();
        gone.addEventListener("abort", giveUp, { once: true });
        const waiter: Waiter = { bytes, address, settle };
        line.add(waiter);
        serve(line);
      });
    },
  };
}
