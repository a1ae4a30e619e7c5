import type { Body } from "./body.ts";
import type { Call } from "./call.ts";
import type { Command } from "./command.ts";
import type { Sealed, StoredDataKey, Unsealed } from "./sealed.ts";
import type { Soon } from "./soon.ts";

/**
 * Seals and opens bodies for topics and queues. Services hold it as a port; `sealing/` implements
 * it with the data-key cache. Refusals are KMS's own (`NotFoundException` …): each service gives
 * them its own code.
 */
export interface Sealer {
  /** Of a body that goes to several queues there is one until it is stored, however many they are. */
  readonly sharesBodies: boolean;
  /**
   * Seals bodies under the data key of (resource, KMS key, requester); makes one if there is none
   * young enough. `commands` store the data key where no commit has done so yet: they belong in the
   * same commit as the bodies. `stored` must be called once that commit is done.
   */
  seal(call: Call, place: SealingPlace, bodies: readonly Uint8Array[]): Soon<SealedBodies>;
  /**
   * As `seal`, for bodies that go to the store and nowhere else. Where the store's thread can seal
   * them on their way, they are `Unsealed` until then: the right to the data key is decided now.
   */
  sealForStore(
    call: Call,
    place: SealingPlace,
    bodies: readonly Body[],
  ): Soon<SealedBodies<Sealed | Unsealed>>;
  /**
   * Opens bodies as the call's caller (or as a service, see `place.as`). A body that does not open
   * is an answer, not an exception: one bad message never blocks a queue.
   */
  open(call: Call, place: OpeningPlace, bodies: readonly SealedRow[]): Promise<readonly Opened[]>;
}

/** The topic or queue whose bodies are sealed now. */
export interface SealingPlace {
  readonly service: "sns" | "sqs";
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  readonly encryption: Encryption;
}

export type Encryption =
  /** SSE-KMS. `keyId` in any of the four forms, as the user wrote it. */
  | {
      readonly mode: "kms";
      readonly keyId: string;
      readonly reusePeriodMs: number;
      /** Also check kms:Decrypt when a data key is made (SNS Publish). */
      readonly requireDecrypt: boolean;
    }
  | { readonly mode: "owned" }
  | { readonly mode: "installation" };

/** The place that bodies are opened for; the encryption context is that of the sealing ARN. */
export interface OpeningPlace {
  readonly service: "sns" | "sqs";
  readonly arn: string;
  readonly accountId: string;
  readonly region: string;
  /** How long an opened data key may be reused for this requester. */
  readonly reusePeriodMs: number;
}

export interface SealedBodies<S extends Sealed | Unsealed = Sealed> {
  readonly sealed: readonly S[];
  readonly commands: readonly Command[];
  /** Tells the cache that the commit with `commands` is durable. */
  stored(): void;
}

/** A sealed body as read from a store, with the data key it names. */
export interface SealedRow {
  readonly bytes: Uint8Array;
  readonly dataKey: StoredDataKey;
}

export type Opened =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly error: Error };
