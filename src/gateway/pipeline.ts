import type { Call, Transport } from "../kernel/call.ts";
import type { Caller } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import { Fault, Refusal, StaleDecision } from "../kernel/errors.ts";
import type { Invoke, InvokeTarget } from "../kernel/invoke.ts";
import type { Log } from "../kernel/log.ts";
import type { Operation, Outcome, ResourceUse, ServiceTable } from "../kernel/operation.ts";
import type { RecordView } from "../kernel/records.ts";
import { type Authorizer, requireSecureTransport } from "./authorize.ts";
import { LiveCall, type Work } from "./live-call.ts";

/** Configuration and commits, as the pipeline uses them; `state/record-cache` implements it. */
export interface State<View extends RecordView> {
  view(): View;
  commit<const T extends readonly Command[]>(
    view: View | undefined,
    commands: T,
  ): Promise<ResultsOf<T>>;
}

/** Makes the audit's commands for a finished call; none for data events no trail selects. */
export interface Auditor {
  record(finished: FinishedCall): Command | undefined;
}

export interface FinishedCall {
  readonly table: ServiceTable;
  readonly operation: Operation;
  readonly call: Call;
  readonly input: object;
  readonly resources: readonly ResourceUse[];
  readonly result: { readonly outcome: Outcome<unknown> } | { readonly error: Error };
}

export interface PipelineDependencies<View extends RecordView> {
  readonly services: ReadonlyMap<string, ServiceTable>;
  readonly state: State<View>;
  readonly authorizer: Authorizer;
  readonly auditor: Auditor;
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly log: Log;
  readonly allowInsecureSse: boolean;
}

/** An authenticated, decoded request. */
export interface PerformRequest {
  readonly service: string;
  readonly operation: string;
  readonly requestId: string;
  readonly caller: Caller;
  readonly region: string;
  readonly accountId: string;
  readonly transport: Transport;
  readonly signal: AbortSignal;
  readonly input: object;
}

export interface Pipeline {
  /** Carries a request out; throws Refusal, Fault, or (a bug) anything else. */
  perform(request: PerformRequest): Promise<object>;
  readonly invoke: Invoke;
}

/** A configuration that changes at every attempt is a storm; the client is asked to come again. */
const attemptsMax = 20;

/**
 * The life of a request once its bytes are understood: resolve the resources, authorise, handle,
 * audit, commit. Calls between services walk the same way through `invoke`.
 */
export function createPipeline<View extends RecordView>(
  deps: PipelineDependencies<View>,
): Pipeline {
  const invoke: Invoke = async <O>(call: Call, target: InvokeTarget, input: object) => {
    const { table, operation } = find(deps, target.service, target.operation);
    const inner = LiveCall.of(call).derive(target);
    const { outcome, event } = await walk(deps, table, operation, inner, input);
    if (event) inner.work.events.push(event);
    // What an operation answers is declared beside it; the asking port names the same type.
    return outcome as Outcome<O>;
  };
  return { invoke, perform: (request) => perform(deps, request) };
}

async function perform<View extends RecordView>(
  deps: PipelineDependencies<View>,
  request: PerformRequest,
): Promise<object> {
  const { table, operation } = find(deps, request.service, request.operation);
  const work: Work = { events: [], secret: false, commit: async () => [] };
  const arrived = { now: deps.clock.now(), arrivedSystemMs: deps.systemClock.now() };
  for (let attempt = 1; ; attempt++) {
    const view = deps.state.view();
    work.commit = (commands, unconditional) =>
      deps.state.commit(unconditional ? undefined : view, commands);
    const call = new LiveCall({ ...request, ...arrived, via: undefined, records: view, work });
    try {
      const walked = await walk(deps, table, operation, call, request.input);
      await settle(deps, view, work, walked);
      return walked.outcome.output as object;
    } catch (error) {
      if (error instanceof StaleDecision && attempt < attemptsMax) continue;
      await flush(deps, work);
      if (error instanceof StaleDecision) {
        throw new Fault("configuration-storm", "the configuration changed at every attempt");
      }
      throw error;
    }
  }
}

interface Walked {
  readonly outcome: Outcome<unknown>;
  /** The audit of this call itself; joins the commit that makes the outcome true. */
  readonly event: Command | undefined;
}

/** Resolve, authorise, handle, audit: the same for requests and for calls between services. */
async function walk(
  deps: Pick<PipelineDependencies<RecordView>, "authorizer" | "auditor" | "allowInsecureSse">,
  table: ServiceTable,
  operation: Operation,
  call: LiveCall,
  input: object,
): Promise<Walked> {
  let resources: readonly ResourceUse[] = [];
  const audit = (result: FinishedCall["result"]) =>
    deps.auditor.record({ table, operation, call, input, resources, result });
  try {
    // The wire decoded `input` by the operation's own shape.
    const typed = input as never;
    resources = await operation.resources(typed, call);
    requireSecureTransport(table, resources, call, deps.allowInsecureSse);
    await deps.authorizer.authorize(table, operation, resources, call);
    const outcome = await operation.handle(typed, call);
    if (operation.audit.secret) call.work.secret = true;
    return { outcome, event: audit({ outcome }) };
  } catch (error) {
    if (error instanceof Refusal || error instanceof Fault) {
      const event = audit({ error });
      if (event) call.work.events.push(event);
    }
    throw error;
  }
}

/** Makes what was decided durable: the changes and the audit of them in one commit. */
async function settle<View extends RecordView>(
  deps: PipelineDependencies<View>,
  view: View,
  work: Work,
  { outcome, event }: Walked,
): Promise<void> {
  const events = event ? [...work.events, event] : [...work.events];
  const changes = outcome.commands ?? [];
  if (changes.length > 0) {
    // If it is stale, the calls inside did happen: their records stay in `work` for later.
    await deps.state.commit(view, [...changes, ...events]);
  } else if (events.length > 0) {
    const recorded = deps.state.commit(undefined, events);
    if (work.secret) await recorded;
    else recorded.catch((error: unknown) => deps.log.error("audit not written", { error }));
  }
  work.events.length = 0;
  outcome.committed?.();
}

/** A refused request: the records of what was denied are kept before the client hears of it. */
async function flush<View extends RecordView>(
  deps: PipelineDependencies<View>,
  work: Work,
): Promise<void> {
  if (work.events.length === 0) return;
  await deps.state.commit(undefined, work.events.splice(0));
}

function find(
  deps: Pick<PipelineDependencies<RecordView>, "services">,
  service: string,
  name: string,
): { table: ServiceTable; operation: Operation } {
  const table = deps.services.get(service);
  const operation = table?.operations.get(name);
  if (table && operation) return { table, operation };
  const text = `Sealpost does not offer ${service}:${name} yet`;
  throw new Refusal("NotImplemented", text, { status: 501 });
}
