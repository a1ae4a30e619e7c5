import type { EpochMs } from "../kernel/clock.ts";
import type { RecordScope } from "../kernel/records.ts";
import type { FoundEvent, LookupAuditEvents } from "../services/cloudtrail/store.ts";
import type { Period } from "./period.ts";

/** Requests to KMS, by what they did. `failed` are in none of the others. */
export interface Tally {
  readonly generateDataKey: number;
  readonly decrypt: number;
  readonly other: number;
  readonly failed: number;
}

/** A request to KMS as the audit recorded it. */
export interface KmsUse {
  readonly timeMs: EpochMs;
  readonly operation: string;
  readonly failed: boolean;
  /** ARN of the user, role or account; the service that acted for itself. */
  readonly principal: string;
  /** Topic or queue of the encryption context; undefined: used otherwise. */
  readonly place: string | undefined;
  readonly key: string | undefined;
}

/** Which records are looked through. */
export interface UsesQuery {
  readonly scopes: readonly RecordScope[];
  readonly period: Period;
  /** Of this key only. */
  readonly key?: string | undefined;
}

export type Lookup = (query: LookupAuditEvents) => Promise<readonly FoundEvent[]>;

const pageEvents = 500;
/** How far before the grace a use in progress must show. AWS: no data key lives longer. */
const longestReuseMs = 86_400_000;

/** Every request to KMS in the period; a call that two accounts were told of counts once. */
export async function kmsUses(lookup: Lookup, query: UsesQuery): Promise<readonly KmsUse[]> {
  const { period } = query;
  const uses: KmsUse[] = [];
  const shared = new Set<string>();
  for (const scope of query.scopes) {
    await eachEvent(lookup, query, scope, (event) => {
      const record: AuditRecord = JSON.parse(event.record);
      // What KMS did by itself is nobody's request.
      if (record.eventType !== "AwsApiCall" || record.sourceIPAddress === "AWS Internal") return;
      const { sharedEventID } = record;
      if (sharedEventID !== undefined && shared.has(sharedEventID)) return;
      if (sharedEventID !== undefined) shared.add(sharedEventID);
      uses.push(useOf(event, record));
    });
  }
  return withinPeriod(uses, period);
}

async function eachEvent(
  lookup: Lookup,
  { period, key }: UsesQuery,
  { accountId, region }: RecordScope,
  visit: (event: FoundEvent) => void,
): Promise<void> {
  const attribute = key
    ? ({ name: "ResourceName", value: key } as const)
    : ({ name: "EventSource", value: "kms.amazonaws.com" } as const);
  const { fromMs, toMs, graceMs } = period;
  const startMs = graceMs === 0 ? fromMs : fromMs - graceMs - longestReuseMs;
  let after: LookupAuditEvents["after"];
  for (;;) {
    const events = await lookup({
      kind: "audit.lookup",
      accountId,
      region,
      attribute,
      startMs,
      endMs: toMs - 1,
      limit: pageEvents,
      ...(after && { after }),
    });
    for (const event of events) {
      if (event.eventSource === "kms.amazonaws.com") visit(event);
    }
    const last = events.at(-1);
    if (!last || events.length < pageEvents) return;
    after = { timeMs: last.timeMs, number: last.number };
  }
}

/** What began within the grace is taken in; what was under way before it is cut at the period. */
function withinPeriod(uses: readonly KmsUse[], { fromMs, graceMs }: Period): readonly KmsUse[] {
  const nameOf = ({ place, principal }: KmsUse) => `${place} ${principal}`;
  const before = new Set(uses.filter(({ timeMs }) => timeMs < fromMs - graceMs).map(nameOf));
  return uses.filter((use) =>
    use.timeMs >= fromMs ? true : use.timeMs >= fromMs - graceMs && !before.has(nameOf(use)),
  );
}

interface AuditRecord {
  readonly eventType?: string;
  readonly errorCode?: string;
  readonly sharedEventID?: string;
  readonly sourceIPAddress?: string;
  readonly userIdentity?: {
    readonly type?: string;
    readonly arn?: string;
    readonly accountId?: string;
    readonly principalId?: string;
    readonly invokedBy?: string;
    readonly sessionContext?: { readonly sessionIssuer?: { readonly arn?: string } };
  };
  readonly requestParameters?: {
    readonly encryptionContext?: Readonly<Record<string, string>>;
  } | null;
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[];
}

function useOf({ timeMs, eventName }: FoundEvent, record: AuditRecord): KmsUse {
  const context = record.requestParameters?.encryptionContext;
  return {
    timeMs,
    operation: eventName,
    failed: record.errorCode !== undefined,
    principal: principalOf(record.userIdentity),
    place: context?.["aws:sns:topicArn"] ?? context?.["aws:sqs:arn"],
    key: record.resources?.find(({ type }) => type === "AWS::KMS::Key")?.ARN,
  };
}

/** Sessions of a role are one: AWS shares data keys between them. */
function principalOf(identity: AuditRecord["userIdentity"] = {}): string {
  const { type, arn, accountId, principalId, invokedBy, sessionContext } = identity;
  if (type === "AWSService") return invokedBy ?? "";
  if (type === "AssumedRole") return sessionContext?.sessionIssuer?.arn ?? arn ?? "";
  return arn ?? `${accountId} ${principalId}`;
}

export function tallyOf(uses: readonly KmsUse[]): Tally {
  const count = (matches: (use: KmsUse) => boolean) => uses.filter(matches).length;
  const done = (operation: string) => count((use) => !use.failed && use.operation === operation);
  const generateDataKey = done("GenerateDataKey");
  const decrypt = done("Decrypt");
  const failed = count((use) => use.failed);
  return {
    generateDataKey,
    decrypt,
    other: uses.length - generateDataKey - decrypt - failed,
    failed,
  };
}

export function requestsIn({ generateDataKey, decrypt, other }: Tally): number {
  return generateDataKey + decrypt + other;
}
