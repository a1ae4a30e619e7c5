import type { Insertion } from "./body.ts";
import { assert } from "./errors.ts";

declare const sealedBrand: unique symbol;

/**
 * A sealed body. INVARIANT: only the envelopes of `crypto/` make values of this type, and a store
 * method that takes a body takes `Sealed`, so that no plaintext can reach a store.
 *
 * It is plain data so that it can travel to the store thread.
 */
export interface Sealed {
  readonly [sealedBrand]: true;
  /** The stored data key that opens `bytes`. */
  readonly dataKeyId: string;
  /** The envelope, see `crypto/envelope`; of one that is shared, what only this queue has. */
  readonly bytes: Uint8Array;
  /** The rest of a shared envelope: one array for all messages that have it. */
  readonly bodyPart?: Uint8Array;
}

/**
 * A body that is sealed on its way: by the store's own thread, before the store sees it. It goes to
 * a store that offers this (`SealingThread`), and to nobody else.
 */
export interface Unsealed {
  /** The data key that the store's thread holds a copy of. */
  readonly dataKeyId: string;
  readonly sealingArn: string;
  /** The plaintext; it stays as it is until the commit is done. */
  readonly body: Uint8Array;
  /** What this message's body has beside it. */
  readonly insertion?: Insertion | undefined;
}

export function isSealed(body: Sealed | Unsealed): body is Sealed {
  return "bytes" in body;
}

/** What a store holds of a body. INVARIANT: one that came unsealed was sealed on its way. */
export function sealedOf(body: Sealed | Unsealed): Sealed {
  assert(isSealed(body), "a body comes to a store sealed");
  return body;
}

/** A data key as stored: sealed by the key that made it, never in the clear. */
export interface StoredDataKey {
  /** 128-bit random id, 32 hex digits. */
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  /** ARN of the topic or queue under which bodies are sealed; fixes the encryption context. */
  readonly sealingArn: string;
  /** `kms`: a KMS key named by the user; `owned`: SSE-SQS; `installation`: no SSE asked for. */
  readonly mode: SealingMode;
  /** ARN of the KMS key for `kms`; internal name otherwise. */
  readonly keyArn: string;
  /** The data key, sealed by the KMS key under the encryption context of `sealingArn`. */
  readonly blob: Uint8Array;
  readonly createdMs: number;
}

export type SealingMode = "kms" | "owned" | "installation";
