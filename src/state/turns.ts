/** The right to change configuration alone, until it is given back. */
export interface Turn {
  giveBack(): void;
}

export interface Turns {
  /** Waits in line. */
  take(): Promise<Turn>;
  /** Waits until nobody has the turn. */
  idle(): Promise<void>;
}

/** First come, first served: each waits for the one before it. */
export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  return {
    async idle() {
      while (waiting > 0) await last;
    },
    async take() {
      const before = last;
      const held = Promise.withResolvers<void>();
      last = held.promise;
      waiting += 1;
      await before;
      return {
        giveBack() {
          waiting -= 1;
          held.resolve();
        },
      };
    },
  };
}
