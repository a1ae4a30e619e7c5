/** Randomness handed in, so that a simulation can be replayed by its seed. */
export interface Random {
  /** Fresh bytes in a buffer of their own (not from a shared pool). */
  bytes(length: number): Buffer;
  /** UUID version 4, lower case. */
  uuid(): string;
}
