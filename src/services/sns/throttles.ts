import type { Clock, EpochMs } from "../../kernel/clock.ts";
import { effectiveDelivery } from "./delivery-policy.ts";
import { type RedeliveryDependencies, topicSession } from "./redelivery.ts";
import { partsOfSubscription, subscriptionKind } from "./subscriptions.ts";
import { topicKind } from "./topics.ts";

/** AWS: maxReceivesPerSecond of a delivery policy, by the service clock. */
export interface Throttles {
  /** How many attempts at a subscription may begin now. */
  allow(deps: RedeliveryDependencies, subscriptionArn: string, wanted: number): Promise<Allowed>;
}

export interface Allowed {
  readonly count: number;
  /** When to ask again, if `count` is 0. */
  readonly againMs: EpochMs;
  /** So many have begun. */
  used(count: number): void;
}

interface Second {
  readonly startMs: EpochMs;
  begun: number;
}

export function createThrottles(clock: Clock): Throttles {
  const seconds = new Map<string, Second>();
  return {
    async allow(deps, subscriptionArn, wanted) {
      const most = await maxReceivesPerSecond(deps, subscriptionArn);
      if (most === undefined) return { count: wanted, againMs: 0, used() {} };
      const nowMs = clock.now();
      let second = seconds.get(subscriptionArn);
      if (!second || nowMs >= second.startMs + 1000) {
        // What has ended says nothing any more.
        if (seconds.size > 10_000) seconds.clear();
        second = { startMs: nowMs, begun: 0 };
        seconds.set(subscriptionArn, second);
      }
      const current = second;
      return {
        count: Math.min(wanted, Math.max(0, most - current.begun)),
        againMs: current.startMs + 1000,
        used(count) {
          current.begun += count;
        },
      };
    },
  };
}

async function maxReceivesPerSecond(
  deps: RedeliveryDependencies,
  subscriptionArn: string,
): Promise<number | undefined> {
  const [, , , region = "", accountId = ""] = subscriptionArn.split(":");
  const { name, id } = partsOfSubscription(subscriptionArn);
  const topicArn = subscriptionArn.slice(0, subscriptionArn.lastIndexOf(":"));
  const session = topicSession("Throttle", { accountId, region, topicArn });
  return deps.runAsService(session, async (call) => {
    const scope = { accountId, region };
    const subscription = await subscriptionKind.get(call.records, scope, id);
    if (!subscription?.protocol.startsWith("http")) return { output: undefined };
    const topic = await topicKind.get(call.records, scope, name);
    const { deliveryPolicy } = subscription;
    const effective = effectiveDelivery(topic?.attributes.DeliveryPolicy, deliveryPolicy);
    return { output: effective.maxReceivesPerSecond };
  });
}
