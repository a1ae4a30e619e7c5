import { parseArn } from "../kernel/arn.ts";
import type { EpochMs } from "../kernel/clock.ts";
import type { Query, ResultOf } from "../kernel/command.ts";
import type { FoundEvent, LookupAuditEvents } from "../services/cloudtrail/store.ts";

/** What somebody did to a topic, queue or key in a period, as the event history tells it. */
export interface Deed {
  readonly principal: string;
  /** `kms:Decrypt` */
  readonly action: string;
  /** `direct`, or the service whose request carried it: `sqs.amazonaws.com`. */
  readonly through: string;
  readonly allowed: number;
  readonly denied: number;
  readonly first: string;
  readonly last: string;
}

export interface Deeds {
  readonly since: string;
  readonly until: string;
  readonly done: readonly Deed[];
  /** More events than are read: older ones of the period are not counted. */
  readonly cut: boolean;
}

export interface Period {
  readonly sinceMs: EpochMs;
  readonly untilMs: EpochMs;
}

type Ask = <Q extends Query>(query: Q) => Promise<ResultOf<Q>>;

/** Read at most; a period with more is told from its newest. */
const eventsMax = 100_000;
const pageEvents = 500;

/**
 * Who did something to a resource: events that name it, and for a topic or queue with SSE-KMS the
 * uses of its key under its own encryption context. Messages themselves are data events, which
 * only trails have; the key's uses tell who sent and received, once in each reuse period.
 */
export async function deedsOf(
  ask: Ask,
  resourceArn: string,
  keyArn: string | null,
  { sinceMs, untilMs }: Period,
): Promise<Deeds> {
  const deeds = new Map<string, Counted>();
  let left = eventsMax;
  const read = async (name: string, counts: (record: EventRecord) => boolean) => {
    for await (const event of eventsNaming(ask, name, { sinceMs, untilMs })) {
      if (left === 0) return;
      left -= 1;
      const record: EventRecord = JSON.parse(event.record);
      if (counts(record)) count(deeds, event, record);
    }
  };
  await read(resourceArn, () => true);
  if (keyArn !== null) await read(keyArn, (record) => isFor(record, resourceArn));
  return {
    since: isoTime(sinceMs),
    until: isoTime(untilMs),
    done: [...deeds.values()].map(shown).sort((one, other) => (one.last < other.last ? 1 : -1)),
    cut: left === 0,
  };
}

interface EventRecord {
  readonly userIdentity?: {
    readonly arn?: string;
    readonly principalId?: string;
    readonly invokedBy?: string;
    readonly type?: string;
  };
  readonly errorCode?: string;
  readonly requestParameters?: { readonly encryptionContext?: Readonly<Record<string, string>> };
}

async function* eventsNaming(
  ask: Ask,
  name: string,
  { sinceMs: startMs, untilMs: endMs }: Period,
): AsyncGenerator<FoundEvent> {
  const arn = parseArn(name);
  if (!arn) return;
  const { accountId, region } = arn;
  let after: LookupAuditEvents["after"];
  for (;;) {
    const page = await ask<LookupAuditEvents>({
      kind: "audit.lookup",
      accountId,
      region,
      attribute: { name: "ResourceName", value: name },
      startMs,
      endMs,
      limit: pageEvents,
      ...(after && { after }),
    });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageEvents) return;
    after = { timeMs: last.timeMs, number: last.number };
  }
}

function isFor({ requestParameters }: EventRecord, resourceArn: string): boolean {
  const context = requestParameters?.encryptionContext ?? {};
  return Object.values(context).includes(resourceArn);
}

interface Counted {
  readonly principal: string;
  readonly action: string;
  readonly through: string;
  allowed: number;
  denied: number;
  firstMs: EpochMs;
  lastMs: EpochMs;
}

function count(deeds: Map<string, Counted>, event: FoundEvent, record: EventRecord): void {
  const { arn, invokedBy, principalId, type } = record.userIdentity ?? {};
  const principal = arn ?? (type === "AWSService" ? invokedBy : undefined) ?? principalId ?? "AWS";
  const action = `${event.eventSource.replace(".amazonaws.com", "")}:${event.eventName}`;
  const through = arn !== undefined && invokedBy !== undefined ? invokedBy : "direct";
  const name = `${principal} ${action} ${through}`;
  const { timeMs } = event;
  const deed = deeds.get(name) ?? {
    ...{ principal, action, through, allowed: 0, denied: 0 },
    ...{ firstMs: timeMs, lastMs: timeMs },
  };
  if (record.errorCode === undefined) deed.allowed += 1;
  else deed.denied += 1;
  deed.firstMs = Math.min(deed.firstMs, timeMs);
  deed.lastMs = Math.max(deed.lastMs, timeMs);
  deeds.set(name, deed);
}

function shown({ firstMs, lastMs, ...deed }: Counted): Deed {
  return { ...deed, first: isoTime(firstMs), last: isoTime(lastMs) };
}

function isoTime(ms: EpochMs): string {
  return new Date(ms).toISOString();
}
