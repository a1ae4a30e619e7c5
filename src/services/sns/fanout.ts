import type { RecordEntry } from "../../kernel/records.ts";
import { createMatcher, type FilteredOut, type Matcher } from "./filter/matcher.ts";
import { readFilterPolicy } from "./filter/read.ts";
import { bodyFor, type CheckedMessage } from "./message.ts";
import type { SnsMetric } from "./ports.ts";
import type { Protocol, SubscriptionRecord } from "./subscriptions.ts";

type Entries = readonly RecordEntry<SubscriptionRecord>[];

/** A topic's confirmed subscriptions, compiled once for as long as none of them changes. */
export interface Fanout {
  /** Each protocol has its own matcher: it may get a body of its own. */
  readonly matchers: ReadonlyMap<Protocol, Matcher<SubscriptionRecord>>;
}

const fanouts = new WeakMap<Entries, Fanout>();

/** INVARIANT: the record view answers one list, as one object, until a subscription changes. */
export function fanoutOf(entries: Entries): Fanout {
  const known = fanouts.get(entries);
  if (known) return known;
  const fanout = compile(entries);
  fanouts.set(entries, fanout);
  return fanout;
}

function compile(entries: Entries): Fanout {
  const byProtocol = Map.groupBy(
    entries.map(({ value }) => value).filter(({ pending }) => !pending),
    ({ protocol }) => protocol,
  );
  const matchers = new Map<Protocol, Matcher<SubscriptionRecord>>();
  for (const [protocol, subscriptions] of byProtocol) {
    const filtered = subscriptions.map((subject) => ({ subject, filter: filterOf(subject) }));
    matchers.set(protocol, createMatcher(filtered));
  }
  return { matchers };
}

function filterOf({ filterPolicy, filterPolicyScope, arn }: SubscriptionRecord) {
  if (filterPolicy === undefined) return undefined;
  const scope = filterPolicyScope ?? "MessageAttributes";
  const read = readFilterPolicy(filterPolicy, scope);
  if ("problem" in read) throw new Error(`the stored filter policy of ${arn} is none`);
  // AWS: `{}` lets everything through.
  return read.policy.length === 0 ? undefined : { scope, policy: read.policy };
}

/** Whom a message is for, with counts of those whom it is not for. */
export interface Selection {
  readonly selected: readonly SubscriptionRecord[];
  readonly filteredOut: readonly FilteredOut[];
}

export function selectSubscriptions({ matchers }: Fanout, message: CheckedMessage): Selection {
  const selections = [...matchers].map(([protocol, matcher]) =>
    matcher.select({ attributes: message.attributes, body: bodyFor(message, protocol) }),
  );
  const [only] = selections;
  return {
    selected:
      selections.length === 1 && only ? only.selected : selections.flatMap((each) => each.selected),
    filteredOut: selections.map((each) => each.filteredOut),
  };
}

/** AWS: how filtered notifications are counted. */
export function filterCounts(out: FilteredOut): readonly (readonly [SnsMetric, number])[] {
  return [
    ["NumberOfNotificationsFilteredOut", out.byAttributes + out.byBody],
    ["NumberOfNotificationsFilteredOut-MessageAttributes", out.byAttributes],
    ["NumberOfNotificationsFilteredOut-MessageBody", out.byBody],
    ["NumberOfNotificationsFilteredOut-NoMessageAttributes", out.noAttributes],
    ["NumberOfNotificationsFilteredOut-InvalidAttributes", out.invalidAttributes],
    ["NumberOfNotificationsFilteredOut-InvalidMessageBody", out.invalidBody],
  ];
}
