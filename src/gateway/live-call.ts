import type { Call, Transport } from "../kernel/call.ts";
import type { Caller, ServicePrincipal } from "../kernel/caller.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import type { InvokeTarget } from "../kernel/invoke.ts";
import type { RecordView } from "../kernel/records.ts";

/** What an outer request and the calls inside it share: its audit records and its commits. */
export interface Work {
  readonly events: Command[];
  /** A secret was handed out: the answer waits until the audit is durable. */
  secret: boolean;
  commit(commands: readonly Command[], unconditional: boolean): Promise<readonly unknown[]>;
}

export interface LiveCallFacts {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly caller: Caller;
  readonly region: string;
  readonly accountId: string;
  readonly now: EpochMs;
  readonly arrivedSystemMs: EpochMs;
  readonly transport: Transport;
  readonly via: ServicePrincipal | undefined;
  readonly signal: AbortSignal;
  readonly records: RecordView;
  readonly work: Work;
}

/** The call that the pipeline hands to operations. */
export class LiveCall implements Call {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
  readonly caller: Caller;
  readonly region: string;
  readonly accountId: string;
  readonly now: EpochMs;
  readonly arrivedSystemMs: EpochMs;
  readonly transport: Transport;
  readonly via: ServicePrincipal | undefined;
  readonly signal: AbortSignal;
  readonly records: RecordView;
  readonly work: Work;

  constructor(facts: LiveCallFacts) {
    this.requestId = facts.requestId;
    this.service = facts.service;
    this.operation = facts.operation;
    this.caller = facts.caller;
    this.region = facts.region;
    this.accountId = facts.accountId;
    this.now = facts.now;
    this.arrivedSystemMs = facts.arrivedSystemMs;
    this.transport = facts.transport;
    this.via = facts.via;
    this.signal = facts.signal;
    this.records = facts.records;
    this.work = facts.work;
  }

  /** Every call that an operation sees was made here. */
  static of(call: Call): LiveCall {
    if (call instanceof LiveCall) return call;
    throw new Error("a call that the pipeline did not make");
  }

  async commit<const T extends readonly Command[]>(
    commands: T,
    options: { readonly unconditional?: boolean } = {},
  ): Promise<ResultsOf<T>> {
    const results = await this.work.commit(commands, options.unconditional === true);
    return results as unknown as ResultsOf<T>;
  }

  /** The same request as another service sees it, under the identity AWS would use. */
  derive(target: InvokeTarget): LiveCall {
    const { as } = target;
    const identity =
      as.kind === "caller"
        ? { caller: this.caller, via: as.via, accountId: this.accountId }
        : {
            caller: {
              kind: "service" as const,
              service: as.service,
              sourceArn: as.sourceArn,
              sourceAccountId: as.sourceAccountId,
            },
            via: undefined,
            accountId: as.sourceAccountId,
          };
    return new LiveCall({
      requestId: this.requestId,
      service: target.service,
      operation: target.operation,
      region: target.region ?? this.region,
      now: this.now,
      arrivedSystemMs: this.arrivedSystemMs,
      transport: this.transport,
      signal: this.signal,
      records: this.records,
      work: this.work,
      ...identity,
    });
  }
}
