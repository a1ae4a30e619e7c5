/**
 * An SDK type as handlers see it after the wire layer decoded it, and as they hand it back: dates
 * are epoch milliseconds, blobs are Buffers, required members are there, absent members are absent.
 *
 *   Operation<Wire<SendMessageRequest>, Wire<SendMessageResult>>
 *
 * INVARIANT: maps with keys of users (`Attributes`, `EncryptionContext`) have no prototype, so that
 * a key `__proto__` or `constructor` is a key like any other.
 */
export type Wire<T> = T extends Date
  ? number
  : T extends Uint8Array
    ? Buffer
    : T extends readonly (infer E)[]
      ? readonly Wire<E>[]
      : T extends object
        ? { [K in keyof T as K extends "$metadata" ? never : K]: Wire<Exclude<T[K], undefined>> }
        : T;
