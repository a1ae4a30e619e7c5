import type { Call } from "../../kernel/call.ts";
import type { Query, ResultOf } from "../../kernel/command.ts";
import type { Invoke, InvokeTarget } from "../../kernel/invoke.ts";
import type { Rate } from "./rate.ts";

/** What CloudTrail asks of the rest of the server. */
export interface CloudtrailDependencies {
  /** A store's answers to questions. */
  readonly ask: <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;
  readonly invoke: Invoke;
  /** Whether a call would be authorised; nothing is done. */
  readonly mayInvoke: (call: Call, target: InvokeTarget, input: object) => Promise<boolean>;
  readonly buckets: Buckets;
  /** Something of a trail is to be looked at now. */
  readonly trailWork: () => void;
  /** How often LookupEvents may be asked; undefined: as often as anyone likes. */
  readonly lookupRate: Rate | undefined;
}

/** The buckets behind the S3 endpoint. */
export interface Buckets {
  /** False without an endpoint: files lie in the data folder. */
  readonly remote: boolean;
  find(bucket: string, region: string): Promise<"there" | "absent" | "denied">;
}
