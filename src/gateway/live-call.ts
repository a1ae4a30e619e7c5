import type { Call } from "../kernel/call.ts";
import type { ServiceCaller } from "../kernel/caller.ts";
import type { Command, ResultsOf } from "../kernel/command.ts";
import type { InvokeIdentity, InvokeTarget } from "../kernel/invoke.ts";

/** What an outer request and the calls inside it share: its audit records and its commits. */
export interface Work {
  readonly events: Command[];
  /** A secret was handed out: the answer waits until the audit is durable. */
  secret: boolean;
  commit(commands: readonly Command[], unconditional: boolean): Promise<readonly unknown[]>;
}

/** The call that the pipeline hands to operations, with what only the pipeline may touch. */
export interface LiveCall extends Call {
  readonly work: Work;
}

export type CallFacts = Omit<Call, "commit">;

export function liveCall(facts: CallFacts, work: Work): LiveCall {
  return {
    ...facts,
    work,
    async commit<const T extends readonly Command[]>(
      commands: T,
      options: { readonly unconditional?: boolean } = {},
    ): Promise<ResultsOf<T>> {
      const results = await work.commit(commands, options.unconditional === true);
      return results as unknown as ResultsOf<T>;
    },
  };
}

/** The same request as another service sees it, under the identity that AWS would use. */
export function innerCall(outer: Call, target: InvokeTarget): LiveCall {
  const { work, ...facts } = asLive(outer);
  const { service, operation, region = outer.region } = target;
  return liveCall({ ...facts, service, operation, region, ...identityOf(outer, target.as) }, work);
}

/** Every call that an operation sees was made here. */
function asLive(call: Call): LiveCall {
  if ("work" in call) return call as LiveCall;
  throw new Error("a call that the pipeline did not make");
}

function identityOf(
  outer: Call,
  as: InvokeIdentity,
): Pick<CallFacts, "caller" | "via" | "accountId"> {
  if (as.kind === "caller") {
    return { caller: outer.caller, via: as.via, accountId: outer.accountId };
  }
  const { service, sourceArn, sourceAccountId } = as;
  const caller: ServiceCaller = { kind: "service", service, sourceArn, sourceAccountId };
  return { caller, via: undefined, accountId: sourceAccountId };
}
