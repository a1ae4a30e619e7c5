/** Seeded choices for generated tests (mulberry32): small, fast, the same on every machine. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.below(items.length)] as T;
  }

  /** One item alone, or a list of up to `max`; both are how policies write lists. */
  oneOrMore<T>(items: readonly T[], max = 3): T | T[] {
    if (this.chance(50)) return this.pick(items);
    return Array.from({ length: 1 + this.below(max) }, () => this.pick(items));
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let index = shuffled.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [shuffled[index], shuffled[other]] = [shuffled[other] as T, shuffled[index] as T];
    }
    return shuffled;
  }
}

/** Seed of a run: SEALPOST_TEST_SEED replays one; else a new one each time, printed by the test. */
export function testSeed(): number {
  const given = process.env.SEALPOST_TEST_SEED;
  return given === undefined ? Date.now() % 2 ** 31 : Number(given);
}
