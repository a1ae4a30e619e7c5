import type { Call } from "../kernel/call.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import type { InvokeTarget } from "../kernel/invoke.ts";
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
  readonly arrival: Arrival;
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
    this.arrival = arrival;
    this.transport = asked.transport;
    this.via = asked.via;
    this.records = records;
    this.client = asked.client;
    this.work = work;
    this.kept = undefined;
  }

  get now(): EpochMs {
    return this.arrival.now;
  }

  get arrivedSystemMs(): EpochMs {
    return this.arrival.systemMs;
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
  const { service, operation, region = outer.region, as } = target;
  const { requestId, transport, client } = outer;
  const own = as.kind === "caller";
  const asked: Asked = {
    requestId,
    service,
    operation,
    caller: own ? outer.caller : as,
    via: own ? as.via : undefined,
    region,
    accountId: own ? outer.accountId : as.sourceAccountId,
    transport,
    client,
  };
  return new LiveCall(asked, outer.arrival, outer.records, outer.work);
}

/** Every call that an operation sees was made here. */
function asLive(call: Call): LiveCall {
  if (call instanceof LiveCall) return call;
  throw new Error("a call that the pipeline did not make");
}
