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

/**
 * First come, first served: each waits for the one before it. `takeWider`: a turn that others have
 * to wait for too, taken within.
 */
export function createTurns(takeWider?: () => Promise<Turn>): Turns {
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
      const giveBack = (): void => {
        waiting -= 1;
        held.resolve();
      };
      if (!takeWider) return { giveBack };
      const wider = await takeWider().catch((error: unknown) => {
        giveBack();
        throw error;
      });
      return {
        giveBack() {
          wider.giveBack();
          giveBack();
        },
      };
    },
  };
}
