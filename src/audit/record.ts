import { Fault, Refusal } from "../kernel/errors.ts";
import type { FinishedCall } from "../kernel/finished-call.ts";
import { type Json, quoted } from "../kernel/json.ts";
import type {
  AuditResource,
  ResourceUse,
  ServiceEvent,
  ServiceTable,
} from "../kernel/operation.ts";
import type { RecordParts } from "../services/cloudtrail/store.ts";
import { secondsTime } from "./identity.ts";
import {
  additionalBytesMax,
  bounded,
  bytesOver,
  omitted,
  recordBytesMax,
  truncate,
} from "./limits.ts";
import { type AuditModel, membersText, plainText } from "./shapes.ts";
import { beginning, ending, eventVersion, resourcesText, whereText } from "./shared-parts.ts";

/** A record on its way: what its copies for several accounts have in common, as JSON text. */
export interface RecordFacts {
  readonly finished: FinishedCall;
  readonly region: string;
  readonly resources: readonly AuditResource[];
  readonly eventTime: string;
  readonly where: string;
  readonly failure: string;
  readonly requestParameters: string;
  readonly responseElements: string;
  readonly additionalEventData: string;
}

export function recordFacts(
  finished: FinishedCall,
  resources: readonly AuditResource[],
  model: AuditModel | undefined,
  nowMs: number,
): RecordFacts {
  const { operation, input, result, table } = finished;
  const { audit } = operation;
  const shapes = model?.operations[operation.name];
  const outcome = "outcome" in result ? result.outcome : undefined;
  const output = outcome?.output;
  const additional = outcome?.audit?.additionalEventData;
  const region = eventRegion(finished);
  const request = kept(model, shapes?.input, audit.request, input);
  const told = outcome?.audit?.responseElements;
  const response =
    told !== undefined
      ? notEmpty(plainText(told))
      : typeof output === "object" && output !== null
        ? kept(model, shapes?.output, audit.response, output)
        : "null";
  return {
    finished,
    region,
    resources,
    eventTime: secondsTime(nowMs),
    where: whereText(finished, region),
    failure: "error" in result ? failureText(result.error, table) : "",
    requestParameters: bounded(request, "requestParameters"),
    responseElements: bounded(response, "responseElements"),
    additionalEventData:
      additional === undefined
        ? ""
        : `,"additionalEventData":${bounded(
            plainText(additional),
            "additionalEventData",
            additionalBytesMax,
          )}`,
  };
}

type Rule = readonly string[] | ((value: object) => Json) | undefined;

/** INVARIANT: an allow-list; without a rule nothing is kept. */
function kept(
  model: AuditModel | undefined,
  shapeName: string | undefined,
  rule: Rule,
  value: object,
): string {
  if (rule === undefined) return "null";
  if (typeof rule === "function") return notEmpty(plainText(rule(value)));
  if (model === undefined || shapeName === undefined) return "null";
  return notEmpty(membersText(model, shapeName, value, rule));
}

function notEmpty(text: string): string {
  return text === "{}" || text === "[]" ? "null" : text;
}

/** What of the resources a record names. */
export function usedResources({ resources, result }: FinishedCall): readonly AuditResource[] {
  const later = "outcome" in result ? result.outcome.audit?.resources : undefined;
  const [only] = resources;
  if (later === undefined && resources.length === 1 && isNamed(only)) return [only];
  const found: AuditResource[] = [];
  const add = (resource: AuditResource): void => {
    const at = found.findIndex(({ arn }) => arn === resource.arn);
    if (at < 0) found.push(resource);
    else found[at] = resource;
  };
  for (const resource of resources) if (isNamed(resource)) add(resource);
  for (const resource of later ?? []) add(resource);
  return found;
}

function isNamed(use: ResourceUse | undefined): use is ResourceUse & AuditResource {
  return use?.type !== undefined;
}

/** AWS: IAM is global and tells its story in us-east-1. */
export function eventRegion({ table, call }: FinishedCall): string {
  return table.name === "iam" ? "us-east-1" : call.region;
}

/** AWS: denials are `AccessDenied`, whatever the service calls them on the wire. */
function failureText(error: Error, table: ServiceTable): string {
  const { code, message } = describeError(error, table);
  return `,"errorCode":${quoted(truncate(code))},"errorMessage":${quoted(truncate(message))}`;
}

function describeError(
  error: Error,
  { accessDenied }: ServiceTable,
): { readonly code: string; readonly message: string } {
  if (error instanceof Refusal) {
    const denied = error.denial !== undefined && error.code === accessDenied.code;
    return { code: denied ? "AccessDenied" : error.code, message: error.message };
  }
  const kind = error instanceof Fault ? `: ${error.kind}` : "";
  return { code: "InternalFailure", message: `The request failed on our side${kind}` };
}

export interface RecordCopy {
  readonly recipientAccountId: string;
  readonly eventId: string;
  /** Of a call that two accounts are told of. */
  readonly sharedEventId: string | undefined;
  /** The copy for another account than the caller's. */
  readonly foreign: boolean;
}

/** The CloudTrail record for one account, at most 256 KB of JSON. */
export function recordParts(facts: RecordFacts, copy: RecordCopy): RecordParts {
  const whole = partsOf(facts, copy);
  const bytes = bytesOver(whole, recordBytesMax);
  if (bytes === undefined) return whole;
  const requestParameters = omitted("event", bytes);
  return partsOf({ ...facts, requestParameters, responseElements: "null", resources: [] }, copy);
}

/** Every event of a busy server comes through here. */
function partsOf(facts: RecordFacts, copy: RecordCopy): RecordParts {
  const { finished, resources } = facts;
  const { recipientAccountId, eventId, sharedEventId, foreign } = copy;
  return [
    beginning(finished, foreign),
    facts.eventTime,
    facts.where,
    `${facts.failure},"requestParameters":${facts.requestParameters}` +
      `,"responseElements":${facts.responseElements}${facts.additionalEventData}` +
      `,"requestID":${quoted(truncate(finished.call.requestId))},"eventID":"${eventId}"` +
      (sharedEventId === undefined ? "" : `,"sharedEventID":"${sharedEventId}"`),
    ending(finished, resources, recipientAccountId, foreign),
  ];
}

/** AWS: the record of a service event. */
export function serviceEventParts(
  event: ServiceEvent,
  nowMs: number,
  eventId: string,
): RecordParts {
  const { accountId, eventSource, eventName, region, readOnly, serviceEventDetails } = event;
  const { eventType = "AwsServiceEvent" } = event;
  const details = serviceEventDetails && JSON.stringify(serviceEventDetails);
  return [
    "",
    `{"eventVersion":"${eventVersion}","userIdentity":{"accountId":${quoted(accountId)}` +
      `,"invokedBy":"AWS Internal"},"eventTime":"${secondsTime(nowMs)}"` +
      `,"eventSource":"${eventSource}","eventName":"${eventName}","awsRegion":${quoted(region)}` +
      `,"sourceIPAddress":"AWS Internal","userAgent":"AWS Internal","requestParameters":null` +
      `,"responseElements":null,"eventID":"${eventId}","readOnly":${readOnly ?? false}` +
      `${resourcesText(event.resources)},"eventType":"${eventType}","managementEvent":true` +
      `,"recipientAccountId":${quoted(accountId)}` +
      (details ? `,"serviceEventDetails":${bounded(details, "serviceEventDetails")}` : "") +
      `,"eventCategory":"Management"}`,
  ];
}
