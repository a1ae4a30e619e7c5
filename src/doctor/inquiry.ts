import type { DecisionRequest } from "../auth/policy/index.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { ResourceUse } from "../kernel/operation.ts";
import type { RecordView } from "../kernel/records.ts";

/** A request that nobody made: what authorisation would be asked about. */
export interface Supposed {
  readonly caller: Caller;
  readonly action: string;
  /** The service that is asked: `kms`. */
  readonly service: string;
  readonly region: string;
  /** Set where a service uses the caller's identity. */
  readonly via?: ServicePrincipal;
}

/** What `doctor` knows: the configuration at one moment, and how authorisation asks. */
export interface Inquiry {
  readonly view: RecordView;
  /** Service time. */
  readonly nowMs: EpochMs;
  /**
   * The very question that the gateway would put to `decide`: identity policies, boundary and
   * condition keys included. A person is supposed to come by HTTPS from this machine.
   */
  ask(supposed: Supposed, use: ResourceUse): Promise<DecisionRequest>;
}
