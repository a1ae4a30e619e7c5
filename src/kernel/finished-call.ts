import type { Call } from "./call.ts";
import type { AnyOperation, Outcome, ResourceUse, ServiceTable } from "./operation.ts";

/** What the pipeline knows of a call that came to its end: what an audit record is made of. */
export interface FinishedCall {
  readonly table: ServiceTable;
  readonly operation: AnyOperation;
  readonly call: Call;
  readonly input: object;
  /** As far as they were resolved. */
  readonly resources: readonly ResourceUse[];
  readonly result: { readonly outcome: Outcome<unknown> } | { readonly error: Error };
}
