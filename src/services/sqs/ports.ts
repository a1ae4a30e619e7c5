import type { Clock, EpochMs } from "../../kernel/clock.ts";
import type { Command, Query, ResultOf, ResultsOf } from "../../kernel/command.ts";
import type { FillGap } from "../../kernel/gapped.ts";
import type { Log } from "../../kernel/log.ts";
import type { Principals } from "../../kernel/policy.ts";
import type { Random } from "../../kernel/random.ts";
import type { RecordView } from "../../kernel/records.ts";
import type { Sealer } from "../../kernel/sealer.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ClaimSizes } from "./claim-sizes.ts";
import type { QueueCounters } from "./metrics.ts";
import type { Waiters } from "./waiters.ts";

/** Authenticates receipt handles under a key of the ring. */
export interface Tokens {
  sign(bytes: Uint8Array): Buffer;
  verify(bytes: Uint8Array, mac: Uint8Array): boolean;
}

/** Authenticates the place of a body: a row moved by hand does not open. */
export interface PlaceMacs {
  make(queueId: string, messageId: string, envelope: Uint8Array): Uint8Array;
  verify(queueId: string, messageId: string, envelope: Uint8Array, mac: Uint8Array): boolean;
}

/**
 * Digests of what senders sent, by which it is known again. Keyed: nobody who reads the store can
 * try out bodies against them. One for each live key, the present key's first.
 */
export interface DeduplicationDigests {
  of(text: string): readonly Uint8Array[];
}

/** Configuration and commits for work that no request asked for; `state/record-cache` fits. */
export interface BackgroundState {
  view(): RecordView;
  commit<const T extends readonly Command[]>(
    view: RecordView | undefined,
    commands: T,
  ): Promise<ResultsOf<T>>;
}

/** What SQS needs to know of a KMS key besides what KMS tells the caller. */
export interface SealingKeys {
  /**
   * Whether the key is no more: its waiting period is over. KMS tells callers of such a ciphertext
   * what it tells those without the right, so that nobody learns which keys there are.
   */
  isGone(records: RecordView, keyArn: string): Promise<boolean>;
}

export interface SqsOptions {
  /** Also check kms:Decrypt when a message is sent, as AWS did before 2024. */
  readonly requireDecryptToSend: boolean;
}

export interface SqsDependencies {
  readonly store: { query<Q extends Query>(query: Q): Promise<ResultOf<Q>> };
  readonly state: BackgroundState;
  readonly sealer: Sealer;
  readonly sealingKeys: SealingKeys;
  /** Completes a body that another service sent with a gap. */
  readonly fillGap: FillGap;
  /** Service clock: delays, visibility, retention. */
  readonly clock: Clock;
  /** System clock: how long a long poll waits. */
  readonly systemClock: Clock;
  readonly random: Random;
  readonly principals: Principals;
  readonly tokens: Tokens;
  readonly places: PlaceMacs;
  readonly digests: DeduplicationDigests;
  readonly log: Log;
  readonly options: SqsOptions;
  /** Others on the same store, threads or processes; absent: there are none. */
  readonly arrivals?: Arrivals | undefined;
  /** A move task is due at this service time: whoever carries them out must know. */
  readonly moveTaskDue: (atMs: EpochMs) => void;
  /** Others count its messages too. */
  readonly queueDeleted?: (arn: string) => void;
}

/** What the operations work with. */
export interface SqsContext extends SqsDependencies {
  readonly waiters: Waiters;
  readonly claimSizes: ClaimSizes;
  readonly metrics: QueueCounters;
}
