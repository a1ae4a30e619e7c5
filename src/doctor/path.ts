import type { Caller } from "../kernel/caller.ts";
import { type Hop, hopsOf, type Missing } from "./hop.ts";
import type { Inquiry } from "./inquiry.ts";
import { judge } from "./judge.ts";
import { type KeyedPlace, keyAllows, keyedPlace, keyHops, keyQuestion } from "./key-hops.ts";
import { isSpecific, mayPlay, type Part, type Player, playersOf } from "./parties.ts";
import { subscriptionHops } from "./queue-hops.ts";
import { secured } from "./secured.ts";
import { type FoundTopic, subscriptionsOfTopic, useFor } from "./topic.ts";
import { nameOf } from "./words.ts";

export interface Path {
  readonly allowed: boolean;
  readonly hops: readonly Hop[];
}

export interface PathOptions {
  /** undefined: whoever may publish. */
  readonly publisher: Caller | undefined;
  /** Must be able to receive from every queue; undefined: whoever may receive. */
  readonly consumer: Caller | undefined;
  /** Whether sending to a queue also needs kms:Decrypt, as the server is set. */
  readonly requireDecryptToSend: boolean;
}

/** Every hop of a message from its publishers to its consumers, in the order in which it goes. */
export async function pathOf(
  inquiry: Inquiry,
  found: FoundTopic,
  options: PathOptions,
): Promise<Path> {
  const { topic } = found;
  const place = await keyedPlace(
    inquiry,
    { accountId: topic.accountId, region: topic.region, service: "sns", arn: topic.arn },
    topic.attributes.KmsMasterKeyId,
  );
  const { publisher } = options;
  const part = publishing(inquiry, found, place, publisher);
  const players = publisher
    ? [{ caller: publisher, verdict: await mayPlay(inquiry, part, publisher) }]
    : await playersOf(inquiry, part);
  const hops: Hop[] = [];
  for (const player of players) hops.push(...(await publisherHops(inquiry, found, place, player)));
  for (const subscription of await subscriptionsOfTopic(inquiry.view, topic)) {
    hops.push(...(await subscriptionHops(inquiry, subscription, options)));
  }
  const walked = distinct(hops);
  return { allowed: walked.every(({ allowed }) => allowed), hops: walked };
}

function publishing(
  inquiry: Inquiry,
  found: FoundTopic,
  place: KeyedPlace | undefined,
  publisher: Caller | undefined,
): Part {
  const { topic } = found;
  return {
    accountId: topic.accountId,
    action: "sns:Publish",
    service: "sns",
    region: topic.region,
    use: publisher ? useFor(found, publisher) : found.use,
    signs: [],
    // Without sns:Publish, but let to the topic's key by name: what else would that be for?
    seemsMeant: async (caller) => {
      if (!place?.key.found) return false;
      const request = await keyQuestion(inquiry, place, "GenerateDataKey", caller);
      return isSpecific(judge(request), caller);
    },
    keyAllows: (caller) => keyAllows(inquiry, place, "GenerateDataKey", caller),
  };
}

async function publisherHops(
  inquiry: Inquiry,
  { topic }: FoundTopic,
  place: KeyedPlace | undefined,
  { caller, verdict }: Player,
): Promise<readonly Hop[]> {
  const from = nameOf(caller);
  const step = { from, to: topic.arn, action: "sns:Publish", resource: topic.arn };
  const publish = hopsOf(step, place ? secured(verdict) : verdict);
  if (!place) return publish;
  const who = { caller, from };
  const generate = await keyHops(inquiry, place, "GenerateDataKey", who);
  // AWS: SNS opens the new data key again, so a publisher needs both.
  return [...publish, ...generate, ...(await keyHops(inquiry, place, "Decrypt", who))];
}

/** Two queues with one dead-letter queue name it twice. */
function distinct(hops: readonly Hop[]): readonly Hop[] {
  const seen = new Set<string>();
  return hops.filter((hop) => {
    const text = JSON.stringify(hop);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

/** The statements that a list of hops lacks, each once. */
export function missingOf(hops: readonly Hop[]): readonly Missing[] {
  const missing = new Map<string, Missing>();
  for (const hop of hops) {
    if (hop.missing) missing.set(JSON.stringify(hop.missing), hop.missing);
  }
  return [...missing.values()];
}
