import type { Call, Transport } from "../kernel/call.ts";
import type { ServiceCaller } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import { Fault, Refusal, StaleDecision } from "../kernel/errors.ts";
import type { Invoke, InvokeTarget } from "../kernel/invoke.ts";
import type { Log } from "../kernel/log.ts";
import type { AnyOperation, Outcome, ServiceTable } from "../kernel/operation.ts";
import type { Random } from "../kernel/random.ts";
import type { RecordView } from "../kernel/records.ts";
import { type Soon, soon } from "../kernel/soon.ts";
import { type Asked, innerCall, LiveCall } from "./live-call.ts";
import type { Room } from "./room.ts";
import { type WalkDependencies, type Walked, walk } from "./walk.ts";
import { Work } from "./work.ts";

/** The right to change configuration alone; others wait until it is given back. */
export interface Turn {
  giveBack(): void;
}

/** Configuration and commits, as the pipeline uses them; `state/record-cache` implements it. */
export interface State<View extends RecordView> {
  /** With a turn: nobody else changes configuration until it is given back. */
  view(turn?: Turn): View;
  takeTurn(): Promise<Turn>;
  commit<const T extends readonly Command[]>(
    view: View | undefined,
    commands: T,
  ): Promise<ResultsOf<T>>;
}

export interface PipelineDependencies<View extends RecordView> extends WalkDependencies {
  readonly services: ReadonlyMap<string, ServiceTable>;
  readonly state: State<View>;
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For requests that take much memory. */
  readonly room: Room;
}

/** An authenticated, decoded request. */
export interface PerformRequest extends Omit<Asked, "via"> {
  readonly input: object;
}

export interface Pipeline {
  /** Carries a request out; throws Refusal, Fault, or (a bug) anything else. */
  perform(request: PerformRequest): Promise<object>;
  readonly invoke: Invoke;
  /** Whether a call between services would be let in; nothing is done, and no record made. */
  mayInvoke(call: Call, target: InvokeTarget, input: object): Promise<boolean>;
  /** Work of a service itself, such as a later delivery: same decisions, audit and commit. */
  runAs<O>(session: ServiceSession, act: (call: Call) => Soon<Outcome<O>>): Promise<O>;
}

export interface ServiceSession {
  readonly caller: ServiceCaller;
  readonly service: string;
  /** What the service is doing, for logs. */
  readonly operation: string;
  readonly region: string;
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
  const invoke: Invoke = <O>(call: Call, target: InvokeTarget, input: object) => {
    const { table, operation } = find(deps, target.service, target.operation);
    const inner = innerCall(call, target);
    return soon(walk(deps, table, operation, inner, input), ({ outcome, event }) => {
      if (event) inner.work.events.push(event);
      // What an operation answers is declared beside it; the asking port names the same type.
      return outcome as Outcome<O>;
    });
  };
  return {
    invoke,
    mayInvoke: (call, target, input) => mayInvoke(deps, call, target, input),
    perform: (request) => perform(deps, request),
    runAs: (session, act) => runAs(deps, session, act),
  };
}

async function mayInvoke<View extends RecordView>(
  deps: PipelineDependencies<View>,
  call: Call,
  target: InvokeTarget,
  input: object,
): Promise<boolean> {
  const { table, operation } = find(deps, target.service, target.operation);
  const inner = innerCall(call, target);
  try {
    const resources = await operation.resources(input, inner);
    await deps.authorizer.authorize(table, operation, resources, inner);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

async function runAs<View extends RecordView, O>(
  deps: PipelineDependencies<View>,
  { caller, service, operation, region }: ServiceSession,
  act: (call: Call) => Soon<Outcome<O>>,
): Promise<O> {
  const asked = {
    requestId: deps.random.uuid(),
    service,
    operation,
    caller,
    region,
    accountId: caller.sourceAccountId,
    transport: insideTransport,
    via: undefined,
    client: { signal: new AbortController().signal },
  };
  const run = async (call: Call) => ({ outcome: await act(call), event: undefined });
  return (await attempt<View, O>(deps, asked, run)).output;
}

/** Work that no request asked for has no peer; nothing it touches leaves the server. */
const insideTransport: Transport = {
  secure: true,
  signed: true,
  sourceIp: "127.0.0.1",
  userAgent: "sealpost",
  baseUrl: "",
  tls: undefined,
};

async function perform<View extends RecordView>(
  deps: PipelineDependencies<View>,
  request: PerformRequest,
): Promise<object> {
  const { table, operation } = find(deps, request.service, request.operation);
  const asked = { ...request, via: undefined };
  const run = (call: LiveCall) => walk<object>(deps, table, operation, call, request.input);
  return (await attempt<View, object>(deps, asked, run)).output;
}

/**
 * Runs something that was decided until it is decided under the present configuration, then makes
 * it durable. Audit records of inner calls outlive an attempt that was in vain: they did happen.
 */
async function attempt<View extends RecordView, O>(
  deps: PipelineDependencies<View>,
  asked: Asked,
  run: (call: LiveCall) => Soon<Walked<O>>,
): Promise<Outcome<O>> {
  const work = new Work(deps.room);
  const arrival = { now: deps.clock.now(), systemMs: deps.systemClock.now() };
  let turn: Turn | undefined;
  try {
    for (let round = 1; round <= attemptsMax; round++) {
      const view = deps.state.view(turn);
      work.holdsTurn = turn !== undefined;
      work.commit = (commands, unconditional) =>
        deps.state.commit(unconditional ? undefined : view, commands);
      try {
        const walked = await run(new LiveCall(asked, arrival, view, work));
        await settle(deps, view, work, walked);
        return walked.outcome;
      } catch (error) {
        if (!(error instanceof StaleDecision)) throw error;
        work.leaveRoom();
        if (error.changesRecords) turn ??= await deps.state.takeTurn();
      }
    }
    throw new Fault("configuration-storm", "the configuration changed at every attempt");
  } catch (error) {
    await flush(deps, work);
    throw error;
  } finally {
    turn?.giveBack();
    work.leaveRoom();
  }
}

/** Makes what was decided durable: the changes and the audit of them in one commit. */
async function settle<View extends RecordView>(
  deps: PipelineDependencies<View>,
  view: View,
  work: Work,
  { outcome, event }: Walked<unknown>,
): Promise<void> {
  const events = event ? [...work.events, event] : [...work.events];
  const changes = outcome.commands ?? [];
  if (changes.length > 0) {
    // If it is stale, the calls inside did happen: their records stay in `work` for later.
    const stored = deps.state.commit(view, [...changes, ...events]);
    work.packed();
    await stored;
  } else if (events.length > 0) {
    const recorded = deps.state.commit(undefined, events);
    // Answered means recorded, also after kill -9. Where the record cannot be written, a call that
    // hands out no secret goes on without it.
    if (work.secret) await recorded;
    else await recorded.catch((error: unknown) => deps.log.error("audit not written", { error }));
  }
  work.events.length = 0;
  const after = outcome.committed?.();
  if (after) await after;
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
): { table: ServiceTable; operation: AnyOperation } {
  const table = deps.services.get(service);
  const operation = table?.operations.get(name);
  if (table && operation) return { table, operation };
  const text = `Sealpost does not offer ${service}:${name} yet`;
  throw new Refusal("NotImplemented", text, { status: 501 });
}
