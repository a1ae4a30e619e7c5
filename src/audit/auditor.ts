import { callerAccountId } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { AuditResource, ServiceEvent } from "../kernel/operation.ts";
import type { Random } from "../kernel/random.ts";
import type { RecordView } from "../kernel/records.ts";
import { allSoon, type Soon, soon } from "../kernel/soon.ts";
import type { EventFacts, TrailChoice } from "../services/cloudtrail/choice.ts";
import type {
  AppendEvents,
  AuditEvent,
  HistoryFacts,
  TrailPlace,
} from "../services/cloudtrail/store.ts";
import { newEventId } from "./event-id.ts";
import { accessKeyIdOf, usernameOf } from "./identity.ts";
import {
  eventRegion,
  type RecordFacts,
  recordFacts,
  recordParts,
  serviceEventParts,
  usedResources,
} from "./record.ts";
import type { AuditModel } from "./shapes.ts";

export interface AuditorDependencies {
  readonly random: Random;
  /** Service clock: when a call was completed. */
  readonly clock: Clock;
  /** Models by service (`sqs`): they tell structures from maps, and what is sensitive. */
  readonly models: ReadonlyMap<string, AuditModel>;
  readonly trails: TrailChoice;
  /** Something waits for delivery by a trail from this service time on. */
  readonly waiting?: (sinceMs: number) => void;
}

/** Makes CloudTrail records. They hold what the operation's allow-list names, nothing else. */
export interface Auditor {
  /**
   * The records of a finished call, one for each account that is told of it; undefined for data
   * events that no trail selects, and for strangers who met no resource of anybody.
   */
  record(finished: FinishedCall): Soon<AppendEvents | undefined>;
  /** The record of something that a service did by itself. */
  serviceEvent(view: RecordView, event: ServiceEvent): Promise<AppendEvents>;
}

export function createAuditor(deps: AuditorDependencies): Auditor {
  return {
    record: (finished) => record(deps, finished),
    serviceEvent: async (view, event) => ({
      kind: "audit.append",
      events: [await eventOfService(deps, view, event)],
    }),
  };
}

function record(deps: AuditorDependencies, finished: FinishedCall): Soon<AppendEvents | undefined> {
  const resources = usedResources(finished);
  const accountIds = recipients(finished, resources);
  const facts = () => factsOf(finished, resources);
  const asked = allSoon(
    accountIds.map((accountId) => deps.trails.of(finished.call.records, accountId, facts)),
  );
  return soon(asked, (trailsOfAll) => {
    const inHistory = finished.operation.audit.category === "management";
    // Of most events in data no trail wants to know.
    if (!inHistory && !trailsOfAll.some(isFilled)) return undefined;
    const all = accountIds.map((accountId, at): Told => {
      return { accountId, trails: trailsOfAll[at] ?? [] };
    });
    const told = inHistory ? all : all.filter(({ trails }) => isFilled(trails));
    return told.length === 0 ? undefined : recordFor(deps, finished, resources, told);
  });
}

function isFilled({ length }: readonly unknown[]): boolean {
  return length > 0;
}

function recordFor(
  deps: AuditorDependencies,
  finished: FinishedCall,
  resources: readonly AuditResource[],
  told: readonly Told[],
): Soon<AppendEvents> {
  const nowMs = deps.clock.now();
  if (told.some(({ trails }) => isFilled(trails))) deps.waiting?.(nowMs);
  const shared = recordFacts(finished, resources, deps.models.get(finished.table.name), nowMs);
  const sharedEventId = told.length > 1 ? deps.random.uuid() : undefined;
  const events = told.map((to) => eventFor(deps, shared, to, nowMs, sharedEventId));
  const caused = "outcome" in finished.result ? finished.result.outcome.audit?.events : undefined;
  if (caused === undefined) return { kind: "audit.append", events };
  const more = caused.map((event) => eventOfService(deps, finished.call.records, event));
  return soon(allSoon(more), (later) => ({ kind: "audit.append", events: [...events, ...later] }));
}

/** An account that gets a copy, and its trails that deliver it. */
interface Told {
  readonly accountId: string;
  readonly trails: readonly TrailPlace[];
}

function factsOf(finished: FinishedCall, resources: readonly AuditResource[]): EventFacts {
  const { operation, table, call } = finished;
  return {
    category: operation.audit.category === "management" ? "Management" : "Data",
    region: eventRegion(finished),
    global: table.name === "iam",
    readOnly: operation.audit.readOnly,
    eventSource: table.eventSource,
    eventName: operation.name,
    eventType: "AwsApiCall",
    identityArn: "arn" in call.caller ? call.caller.arn : "",
    resources,
  };
}

function factsOfService(event: ServiceEvent): EventFacts {
  return {
    category: "Management",
    region: event.region,
    global: false,
    readOnly: event.readOnly ?? false,
    eventSource: event.eventSource,
    eventName: event.eventName,
    eventType: event.eventType ?? "AwsServiceEvent",
    identityArn: "",
    resources: event.resources,
  };
}

/**
 * AWS: the caller's account, and the owners of the resources where another account's call was let
 * in. Calls of services and strangers are told to the owners alone.
 */
function recipients(
  finished: FinishedCall,
  resources: readonly AuditResource[],
): readonly string[] {
  const { call, result } = finished;
  const own = callerAccountId(call.caller);
  const denied = "error" in result && result.error instanceof Refusal && result.error.denial;
  if (own !== undefined && denied) return [own];
  if (own !== undefined) return owners([own], resources);
  if (resources.length > 0) return owners([], resources);
  if (finished.resources.length > 0) return owners([], finished.resources);
  return call.caller.kind === "service" ? [call.caller.sourceAccountId] : [];
}

/** Adds the owners that are not there yet: nearly always all belongs to one account. */
function owners(
  accounts: readonly string[],
  resources: readonly { readonly accountId: string }[],
): readonly string[] {
  let all = accounts;
  for (const { accountId } of resources) {
    if (!all.includes(accountId)) all = [...all, accountId];
  }
  return all;
}

function eventFor(
  deps: AuditorDependencies,
  facts: RecordFacts,
  { accountId, trails }: Told,
  timeMs: number,
  sharedEventId: string | undefined,
): AuditEvent {
  const { operation, table, call } = facts.finished;
  const eventId = newEventId(deps.random, timeMs);
  const own = callerAccountId(call.caller);
  const foreign = own !== undefined && own !== accountId;
  const copy = { recipientAccountId: accountId, eventId, sharedEventId, foreign };
  const record = recordParts(facts, copy);
  const event = { accountId, region: facts.region, timeMs, record, trails };
  if (operation.audit.category === "data") return event;
  return {
    ...event,
    history: {
      eventId,
      eventName: operation.name,
      eventSource: table.eventSource,
      username: foreign ? "" : usernameOf(call.caller),
      accessKeyId: foreign ? "" : accessKeyIdOf(call.caller),
      readOnly: operation.audit.readOnly,
      resources: facts.resources.map(named),
    },
  };
}

function named({ type, arn }: AuditResource): HistoryFacts["resources"][number] {
  return { type, name: arn };
}

async function eventOfService(
  { random, clock, trails: choice, waiting }: AuditorDependencies,
  view: RecordView,
  event: ServiceEvent,
): Promise<AuditEvent> {
  const timeMs = clock.now();
  const trails = await choice.of(view, event.accountId, () => factsOfService(event));
  if (trails.length > 0) waiting?.(timeMs);
  const eventId = newEventId(random, timeMs);
  const { accountId, region, eventName, eventSource, readOnly = false, resources } = event;
  return {
    accountId,
    region,
    timeMs,
    record: serviceEventParts(event, timeMs, eventId),
    history: {
      eventId,
      eventName,
      eventSource,
      username: "",
      accessKeyId: "",
      readOnly,
      resources: resources.map(named),
    },
    trails,
  };
}
