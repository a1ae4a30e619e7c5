import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import { confirmationKind, confirmationScope } from "./confirmations.ts";
import { type RedeliveryDependencies, topicSession } from "./redelivery.ts";
import { removeSubscription } from "./subscription-changes.ts";
import { partsOfSubscription, subscriptionKind } from "./subscriptions.ts";
import { topicKind } from "./topics.ts";

const tokensPerRound = 1_000;

/**
 * Forgets tokens that have had their time, and with them the subscriptions that nobody confirmed.
 */
export async function expireConfirmations(
  deps: Pick<RedeliveryDependencies, "runAsService">,
  nowMs: EpochMs,
): Promise<void> {
  const session = topicSession("Expire", { accountId: "", region: "", topicArn: "" });
  const ids = await deps.runAsService(session, async (call) => {
    const all = await confirmationKind.list(call.records, confirmationScope);
    const old = all.filter(({ value }) => value.expiresMs <= nowMs);
    return { output: old.slice(0, tokensPerRound).map(({ id }) => id) };
  });
  for (const id of ids) {
    await deps.runAsService(session, async (call) => {
      const token = await confirmationKind.get(call.records, confirmationScope, id);
      if (!token) return { output: undefined };
      const commands: Command[] = [confirmationKind.remove(confirmationScope, id)];
      const topic = await topicKind.get(call.records, token, token.topicName);
      const { id: subscriptionId } = partsOfSubscription(token.subscriptionArn);
      const value = await subscriptionKind.get(call.records, token, subscriptionId);
      if (topic && value?.pending && (value.pendingUntilMs ?? 0) <= nowMs) {
        commands.push(...(await removeSubscription(call, topic, { id: subscriptionId, value })));
      }
      return { output: undefined, commands };
    });
  }
}
