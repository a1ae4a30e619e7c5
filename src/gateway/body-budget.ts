/**
 * Bytes that may be held for senders who are not proven yet: in all, and per address. Room is
 * reserved for a whole body before it is read, so that no two halves ever wait for each other.
 */
export interface BodyBudget {
  /**
   * Reserves room now, or waits in line for it. false: the line is full, the wait took too long,
   * or `gone` (the client left) came first.
   */
  reserve(bytes: number, address: string | undefined, gone: AbortSignal): Promise<boolean>;
  /** Reserves room if nobody waits and there is some. Never waits. */
  reserveNow(bytes: number, address: string | undefined): boolean;
  release(bytes: number, address: string | undefined): void;
  usedBytes(): number;
}

export interface BodyBudgetLimits {
  readonly unauthenticatedBytesMax: number;
  readonly unauthenticatedBytesPerAddressMax: number;
  readonly waitingMax: number;
  readonly waitingMs: number;
}

interface Waiter {
  readonly bytes: number;
  readonly address: string | undefined;
  readonly settle: (reserved: boolean) => void;
}

export function bodyBudget(limits: BodyBudgetLimits): BodyBudget {
  const bytesByAddress = new Map<string, number>();
  const line = new Set<Waiter>();
  let usedBytes = 0;

  function take(bytes: number, address: string | undefined): boolean {
    if (usedBytes + bytes > limits.unauthenticatedBytesMax) return false;
    if (address !== undefined) {
      const ofAddress = (bytesByAddress.get(address) ?? 0) + bytes;
      if (ofAddress > limits.unauthenticatedBytesPerAddressMax) return false;
      bytesByAddress.set(address, ofAddress);
    }
    usedBytes += bytes;
    return true;
  }

  /** In order of arrival, but one address that is at its own limit does not hold up the others. */
  function serveLine(): void {
    for (const waiter of line) {
      if (usedBytes >= limits.unauthenticatedBytesMax) return;
      if (take(waiter.bytes, waiter.address)) waiter.settle(true);
    }
  }

  return {
    usedBytes: () => usedBytes,
    reserveNow: (bytes, address) => line.size === 0 && take(bytes, address),
    release(bytes, address) {
      usedBytes -= bytes;
      if (address !== undefined) {
        const left = (bytesByAddress.get(address) ?? 0) - bytes;
        if (left > 0) bytesByAddress.set(address, left);
        else bytesByAddress.delete(address);
      }
      if (line.size > 0) serveLine();
    },
    reserve(bytes, address, gone) {
      if (line.size >= limits.waitingMax || gone.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (reserved: boolean): void => {
          clearTimeout(timer);
          gone.removeEventListener("abort", giveUp);
          line.delete(waiter);
          resolve(reserved);
        };
        const giveUp = (): void => settle(false);
        const timer = setTimeout(giveUp, limits.waitingMs);
        timer.unref();
        gone.addEventListener("abort", giveUp, { once: true });
        const waiter: Waiter = { bytes, address, settle };
        line.add(waiter);
        serveLine();
      });
    },
  };
}
