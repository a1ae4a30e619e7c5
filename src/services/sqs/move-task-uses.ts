import type { Call } from "../../kernel/call.ts";
import { callerAccountId } from "../../kernel/caller.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { Queue } from "./queue.ts";

/** AWS?: that no policy opens move tasks to other accounts. */
export function moveTaskUses(call: Call, source: Queue): readonly [ResourceUse] {
  const [use] = source.uses;
  const foreign = callerAccountId(call.caller) !== source.scope.accountId;
  return [foreign ? { ...use, policy: undefined } : use];
}
