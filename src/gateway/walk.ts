import type { Call } from "../kernel/call.ts";
import type { Command } from "../kernel/command.ts";
import { Fault, Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { AnyOperation, Outcome, ResourceUse, ServiceTable } from "../kernel/operation.ts";
import { type Soon, soon, unless } from "../kernel/soon.ts";
import { type Authorizer, requireSecureTransport } from "./authorize.ts";
import type { LiveCall } from "./live-call.ts";

/** Makes the audit's commands for a finished call; none for data events no trail selects. */
export interface Auditor {
  record(finished: FinishedCall): Soon<Command | undefined>;
}

/** A call that was refused, as it was: nothing of its input. */
export interface RefusedCall {
  readonly table: ServiceTable;
  readonly operation: AnyOperation;
  readonly call: Call;
  readonly resources: readonly ResourceUse[];
  readonly refusal: Refusal;
}

export interface WalkDependencies {
  readonly authorizer: Authorizer;
  readonly auditor: Auditor;
  readonly allowInsecureSse: boolean;
  /** Hears of every refusal; what was denied can be explained later. */
  readonly refused?: (refused: RefusedCall) => void;
}

export interface Walked<O> {
  readonly outcome: Outcome<O>;
  /** The audit of this call itself; joins the commit that makes the outcome true. */
  readonly event: Command | undefined;
}

/** Resolve, authorise, handle, audit: the same for requests and for calls between services. */
export function walk<O>(
  deps: WalkDependencies,
  table: ServiceTable,
  operation: AnyOperation,
  call: LiveCall,
  input: object,
): Soon<Walked<O>> {
  let resources: readonly ResourceUse[] = [];
  const audit = (result: FinishedCall["result"]) =>
    deps.auditor.record({ table, operation, call, input, resources, result });
  const audited = (outcome: Outcome<O>): Soon<Walked<O>> => {
    if (operation.audit.secret) call.work.secret = true;
    return soon(audit({ outcome }), (event) => ({ outcome, event }));
  };
  // What is there already is not waited for: a turn of the queue of promises for each step would
  // cost as much as the step.
  const steps = () =>
    soon(operation.resources(input, call), (used) => {
      resources = used;
      requireSecureTransport(table, resources, call, deps.allowInsecureSse);
      return soon(deps.authorizer.authorize(table, operation, resources, call), () =>
        soon(operation.handle(input, call), audited),
      );
    });
  return unless(steps, (error) => {
    if (error instanceof Refusal) {
      deps.refused?.({ table, operation, call, resources, refusal: error });
    }
    if (!(error instanceof Refusal || error instanceof Fault)) throw error;
    return soon(audit({ error }), (event) => {
      if (event) call.work.events.push(event);
      throw error;
    });
  });
}
