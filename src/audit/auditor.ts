import { callerAccountId } from "../kernel/caller.ts";
import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import type { Random } from "../kernel/random.ts";
import type { AppendEvents, AuditEvent } from "../services/cloudtrail/store.ts";
import { accessKeyIdOf, usernameOf } from "./identity.ts";
import {
  type RecordFacts,
  recordFacts,
  recordText,
  type ServiceEvent,
  serviceEventText,
} from "./record.ts";
import type { AuditModel } from "./shapes.ts";

export interface AuditorDependencies {
  readonly random: Random;
  /** Service clock: when a call was completed. */
  readonly clock: Clock;
  /** Models by service (`sqs`): they tell structures from maps, and what is sensitive. */
  readonly models: ReadonlyMap<string, AuditModel>;
}

/** Makes CloudTrail records. They hold what the operation's allow-list names, nothing else. */
export interface Auditor {
  /**
   * The records of a finished call, one for each account that is told of it; undefined for data
   * events, which no trail selects yet, and for strangers who met no resource of anybody.
   */
  record(finished: FinishedCall): AppendEvents | undefined;
  /** The record of something that a service did by itself. */
  serviceEvent(event: ServiceEvent): AppendEvents;
}

export function createAuditor(deps: AuditorDependencies): Auditor {
  return {
    record(finished) {
      if (finished.operation.audit.category === "data") return undefined;
      const nowMs = deps.clock.now();
      const facts = recordFacts(finished, deps.models.get(finished.table.name), nowMs);
      const accounts = recipients(facts);
      if (accounts.length === 0) return undefined;
      const sharedEventId = accounts.length > 1 ? deps.random.uuid() : undefined;
      const events = accounts.map((accountId) =>
        eventFor(deps, facts, accountId, nowMs, sharedEventId),
      );
      return { kind: "audit.append", events };
    },
    serviceEvent(event) {
      const nowMs = deps.clock.now();
      return { kind: "audit.append", events: [eventOfService(deps, event, nowMs)] };
    },
  };
}

/**
 * AWS: the caller's account, and the owners of the resources where another account's call was let
 * in. Calls of services and strangers are told to the owners alone.
 */
function recipients({ finished, resources }: RecordFacts): readonly string[] {
  const { call, result } = finished;
  const own = callerAccountId(call.caller);
  const denied = "error" in result && result.error instanceof Refusal && result.error.denial;
  const owners = resources.map(({ accountId }) => accountId);
  if (own !== undefined) return denied ? [own] : [...new Set([own, ...owners])];
  const source = call.caller.kind === "service" ? [call.caller.sourceAccountId] : [];
  const used = finished.resources.map(({ accountId }) => accountId);
  const told = [owners, used, source].find((accounts) => accounts.length > 0) ?? [];
  return [...new Set(told)];
}

function eventFor(
  deps: AuditorDependencies,
  facts: RecordFacts,
  accountId: string,
  timeMs: number,
  sharedEventId: string | undefined,
): AuditEvent {
  const { operation, table, call } = facts.finished;
  const eventId = deps.random.uuid();
  const own = callerAccountId(call.caller);
  const foreign = own !== undefined && own !== accountId;
  const copy = { recipientAccountId: accountId, eventId, sharedEventId, foreign };
  return {
    accountId,
    region: facts.region,
    eventId,
    timeMs,
    eventName: operation.name,
    eventSource: table.eventSource,
    username: foreign ? "" : usernameOf(call.caller),
    accessKeyId: foreign ? "" : accessKeyIdOf(call.caller),
    readOnly: operation.audit.readOnly,
    resources: facts.resources.map(({ type, arn }) => ({ type, name: arn })),
    record: recordText(facts, copy),
  };
}

function eventOfService(
  { random }: AuditorDependencies,
  event: ServiceEvent,
  timeMs: number,
): AuditEvent {
  const eventId = random.uuid();
  return {
    accountId: event.accountId,
    region: event.region,
    eventId,
    timeMs,
    eventName: event.eventName,
    eventSource: event.eventSource,
    username: "",
    accessKeyId: "",
    readOnly: event.readOnly ?? false,
    resources: event.resources.map(({ type, arn }) => ({ type, name: arn })),
    record: serviceEventText(event, timeMs, eventId),
  };
}
