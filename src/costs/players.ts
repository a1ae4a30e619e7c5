import type { Inquiry } from "../doctor/inquiry.ts";
import { type Part, playersOf } from "../doctor/parties.ts";
import { nameOf } from "../doctor/words.ts";
import { subscriptionsOf } from "../services/sns/subscriptions.ts";
import { topicKind } from "../services/sns/topics.ts";
import type { KeyedPlace } from "./places.ts";

/** Who sends into a place, and who receives from it. */
export interface Players {
  /** Publishers of a topic, producers of a queue. */
  readonly producers: readonly string[];
  /** Queues only: SNS delivers from a topic with the data key that it has. */
  readonly consumers: readonly string[];
}

const deliverer = "sns.amazonaws.com";

/** Whom the policies let do it, administrators left out where others are meant. */
export async function allowedPlayers(inquiry: Inquiry, place: KeyedPlace): Promise<Players> {
  const { accountId, region } = place.scope;
  const names = async (part: Pick<Part, "action" | "service" | "use">): Promise<string[]> => {
    const whole = { ...part, accountId, region, signs: [], keyAllows: async () => true };
    const players = await playersOf(inquiry, whole);
    return players.filter(({ verdict }) => verdict.allowed).map(({ caller }) => nameOf(caller));
  };
  if ("topic" in place) {
    const { use } = place.topic;
    return {
      producers: await names({ action: "sns:Publish", service: "sns", use }),
      consumers: [],
    };
  }
  const [use] = place.queue.uses;
  const subscribed = await isSubscribed(inquiry, place);
  return {
    producers: subscribed
      ? [deliverer]
      : await names({ action: "sqs:SendMessage", service: "sqs", use }),
    consumers: await names({ action: "sqs:ReceiveMessage", service: "sqs", use }),
  };
}

/** A queue behind a topic of its account gets its messages from there. */
async function isSubscribed({ view }: Inquiry, { scope, arn }: KeyedPlace): Promise<boolean> {
  for (const { value } of await topicKind.list(view, scope)) {
    const found = await subscriptionsOf(view, value);
    if (found.some(({ value: { endpoint } }) => endpoint === arn)) return true;
  }
  return false;
}
