import type { Caller } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { Json } from "../kernel/json.ts";
import type { AnyOperation, ServiceTable } from "../kernel/operation.ts";
import type { Random } from "../kernel/random.ts";
import type { RecordView } from "../kernel/records.ts";
import type { HttpExchange } from "./exchange.ts";

/** One act of an operator, done or refused. */
export interface AdminAct {
  /** `CreateAccount` */
  readonly name: string;
  readonly caller: Caller;
  readonly region: string;
  readonly exchange: HttpExchange;
  readonly input: Json;
  /** Why it was not done. */
  readonly error: Error | undefined;
}

export interface AdminCallDependencies {
  readonly clock: Clock;
  readonly systemClock: Clock;
  readonly random: Random;
  readonly operatorAccountId: string;
}

const table: ServiceTable = {
  name: "sealpost",
  eventSource: "sealpost",
  operations: new Map(),
  accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
};

/**
 * An operator's act as the audit sees calls. Inputs hold no secrets; answers do, and are not
 * kept.
 */
export function adminCall(
  deps: AdminCallDependencies,
  view: RecordView,
  { name, caller, region, exchange, input, error }: AdminAct,
): FinishedCall {
  const operation: AnyOperation = {
    name,
    access: "write",
    audit: {
      category: "management",
      readOnly: exchange.method === "GET",
      request: () => input,
    },
    resources: () => [],
    handle: () => ({ output: {} }),
  };
  return {
    table,
    operation,
    call: {
      requestId: deps.random.uuid(),
      service: table.name,
      operation: name,
      caller,
      region,
      accountId: deps.operatorAccountId,
      now: deps.clock.now(),
      arrivedSystemMs: deps.systemClock.now(),
      transport: { ...exchange.transportFacts, signed: true },
      via: undefined,
      signal: exchange.signal,
      records: view,
      reserve() {},
      commit: () => Promise.reject(new Error("an operator's act commits by itself")),
    },
    input: {},
    resources: [],
    result: error === undefined ? { outcome: { output: {} } } : { error },
  };
}
