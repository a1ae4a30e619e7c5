/** Milliseconds since the epoch. */
export type EpochMs = number;

/**
 * Time as a value handed in. Two clocks exist: the service clock (virtual or system) rules
 * everything a user can see age; the system clock rules signatures, tokens and certificates.
 */
export interface Clock {
  now(): EpochMs;
  /**
   * Runs `due` once the clock reaches `atMs` (soon, if it is already past). The answer cancels.
   * A virtual clock runs what became due before its advance answers.
   */
  at(atMs: EpochMs, due: () => void | Promise<void>): () => void;
}
