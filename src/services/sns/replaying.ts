import type { Call } from "../../kernel/call.ts";
import type { Command } from "../../kernel/command.ts";
import type { Outcome } from "../../kernel/operation.ts";
import type { SnsDependencies } from "./ports.ts";
import { replayKind, replayScope } from "./replay.ts";
import type { SubscriptionRecord } from "./subscriptions.ts";

/** Lets a replay that a subscription begins go on by itself, also after a restart. */
export function replaying(
  deps: Pick<SnsDependencies, "retryAt">,
  call: Call,
  { arn, replay }: SubscriptionRecord,
  commands: readonly Command[],
): Pick<Outcome<unknown>, "commands" | "committed"> {
  if (replay?.status !== "Pending") return { commands };
  return {
    commands: [...commands, replayKind.put(replayScope, arn, {})],
    committed: () => deps.retryAt?.(arn, call.now),
  };
}
