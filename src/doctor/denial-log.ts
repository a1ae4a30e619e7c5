import type { DecisionRequest } from "../auth/policy/index.ts";
import type { EpochMs } from "../kernel/clock.ts";

/** A refused call as the pipeline tells of it; nothing of its input is kept. */
export interface NotedDenial {
  readonly requestId: string;
  /** Service time. */
  readonly atMs: EpochMs;
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly caller: string;
  /** Nobody signed it: anyone can make as many of these as they like. */
  readonly anonymous: boolean;
  /** `kms:Decrypt`; the operation where no policy was asked. */
  readonly action: string;
  readonly resource: string;
  readonly code: string;
  readonly message: string;
  /** What was decided on; undefined where no policy decided. */
  readonly request: DecisionRequest | undefined;
}

/** The last denials, in memory only: bounded, and strangers cannot push out those of users. */
export interface DenialLog {
  note(denial: NotedDenial): void;
  /** Of one request, in the order in which they happened. */
  of(requestId: string): readonly NotedDenial[];
  /** Newest first. */
  latest(count: number): readonly NotedDenial[];
}

export interface DenialLogLimits {
  readonly signedMax: number;
  readonly anonymousMax: number;
}

export function createDenialLog(
  limits: DenialLogLimits = { signedMax: 1000, anonymousMax: 100 },
): DenialLog {
  const signed = new Map<string, NotedDenial>();
  const anonymous = new Map<string, NotedDenial>();
  return {
    note(denial) {
      const log = denial.anonymous ? anonymous : signed;
      const max = denial.anonymous ? limits.anonymousMax : limits.signedMax;
      // A request that was decided again says the same again.
      const { requestId, caller, action, resource } = denial;
      const name = JSON.stringify([requestId, caller, action, resource]);
      log.delete(name);
      log.set(name, denial);
      if (log.size <= max) return;
      const [oldest] = log.keys();
      if (oldest !== undefined) log.delete(oldest);
    },
    of(requestId) {
      return [...signed.values(), ...anonymous.values()].filter(
        (denial) => denial.requestId === requestId,
      );
    },
    latest(count) {
      const all = [...signed.values(), ...anonymous.values()].reverse();
      return all.sort((left, right) => right.atMs - left.atMs).slice(0, count);
    },
  };
}
