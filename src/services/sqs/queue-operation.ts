import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import { newPlace } from "../../kernel/kept.ts";
import type { ConditionContext, Operation, Outcome } from "../../kernel/operation.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import { type Queue, requireQueue } from "./queue.ts";

/** An operation on the queue that `QueueUrl` names. */
export interface QueueOperation<I, O>
  extends Pick<Operation<I, O>, "name" | "action" | "access" | "audit"> {
  /** AWS: operations that no policy opens to other accounts. */
  readonly ownerOnly?: boolean;
  /** Condition keys that the request brings. */
  context?(input: I): ConditionContext;
  handle(input: I, call: Call, queue: Queue): Soon<Outcome<O>>;
}

/** INVARIANT: what was authorised is what is used, in one attempt at a call. */
const authorised = newPlace<Queue>();

/** Fills in what all operations on a queue share: it must exist, and its policy speaks. */
export function queueOperation<I extends { readonly QueueUrl?: string | undefined }, O>(
  operation: QueueOperation<I, O>,
): Operation<I, O> {
  const { name, action, access, audit, ownerOnly } = operation;
  return {
    name,
    action,
    access,
    audit,
    resources: (input, call) =>
      soon(requireQueue(call, input.QueueUrl), (queue) => {
        authorised.keep(call, queue);
        const { uses, scope } = queue;
        const foreign = ownerOnly && callerAccountId(call.caller) !== scope.accountId;
        const context = operation.context?.(input);
        if (!foreign && !context) return uses;
        // Without the queue's policy nothing can allow another account in.
        return uses.map((use) => ({ ...use, context, policy: foreign ? undefined : use.policy }));
      }),
    handle(input, call) {
      const known = authorised.find(call);
      if (known) return operation.handle(input, call, known);
      return soon(requireQueue(call, input.QueueUrl), (queue) =>
        operation.handle(input, call, queue),
      );
    },
  };
}
