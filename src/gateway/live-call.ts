import type { Call } from "../kernel/call.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import type { InvokeIdentity, InvokeTarget } from "../kernel/invoke.ts";
import type { RecordView } from "../kernel/records.ts";
import type { Soon } from "../kernel/soon.ts";
import type { Work } from "./work.ts";

/** Who asks for what, and how: the same in every attempt at a request. */
export interface Asked
  extends Pick<
    Call,
    "requestId" | "service" | "operation" | "caller" | "region" | "accountId" | "transport" | "via"
  > {
  /** Who waits for the answer. Few operations ever look at its signal, which is made for them. */
  readonly client: { readonly signal: AbortSignal };
}

/** When it came. */
export interface Arrival {
  readonly now: EpochMs;
  readonly systemMs: EpochMs;
}

/** The call that the pipeline hands to operations, with what only the pipeline may touch. */
export class LiveCall implements Call {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly caller: Call["caller"];
  readonly region: string;
  readonly accountId: string;
  readonly now: EpochMs;
  readonly arrivedSystemMs: EpochMs;
  readonly transport: Call["transport"];
  readonly via: Call["via"];
  readonly records: RecordView;
  readonly client: Asked["client"];
  readonly work: Work;
  kept: Call["kept"];

  constructor(asked: Asked, arrival: Arrival, records: RecordView, work: Work) {
    this.requestId = asked.requestId;
    this.service = asked.service;
    this.operation = asked.operation;
    this.caller = asked.caller;
    this.region = asked.region;
    this.accountId = asked.accountId;
    this.now = arrival.now;
    this.arrivedSystemMs = arrival.systemMs;
    this.transport = asked.transport;
    this.via = asked.via;
    this.records = records;
    this.client = asked.client;
    this.work = work;
    this.kept = undefined;
  }

  get signal(): AbortSignal {
    return this.client.signal;
  }

  reserve(bytes: number): Soon<void> {
    return this.work.reserve(bytes);
  }

  async commit<const T extends readonly Command[]>(
    commands: T,
    options: { readonly unconditional?: boolean } = {},
  ): Promise<ResultsOf<T>> {
    const results = await this.work.commit(commands, options.unconditional === true);
    return results as unknown as ResultsOf<T>;
  }
}

/** The same request as another service sees it, under the identity that AWS would use. */
export function innerCall(call: Call, target: InvokeTarget): LiveCall {
  const outer = asLive(call);
  const { service, operation, region = outer.region } = target;
  const { requestId, transport, client, now, arrivedSystemMs } = outer;
  const inner = { requestId, service, operation, region, transport, client };
  return new LiveCall(
    { ...inner, ...identityOf(outer, target.as) },
    { now, systemMs: arrivedSystemMs },
    outer.records,
    outer.work,
  );
}

/** Every call that an operation sees was made here. */
function asLive(call: Call): LiveCall {
  if (call instanceof LiveCall) return call;
  throw new Error("a call that the pipeline did not make");
}

function identityOf(outer: Call, as: InvokeIdentity): Pick<Asked, "caller" | "via" | "accountId"> {
  if (as.kind === "caller") {
    return { caller: outer.caller, via: as.via, accountId: outer.accountId };
  }
  return { caller: as, via: undefined, accountId: as.sourceAccountId };
}
