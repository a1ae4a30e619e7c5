import type { FinishedCall } from "../kernel/finished-call.ts";
import { quoted } from "../kernel/json.ts";
import type { AnyOperation, AuditResource } from "../kernel/operation.ts";
import { endpointId, foreignIdentity, identityText, sourceOf, tlsDetails } from "./identity.ts";
import { truncate } from "./limits.ts";

// What records have in common: who called, from where, on what. Each is put together once and then
// is the same text, which the way to the store and the store itself know again.

/** AWS: the version of the record's form. */
export const eventVersion = "1.11";

/** From the record's start to `"eventTime":"`. `foreign`: for another account than the caller's. */
export function beginning({ call, result }: FinishedCall, foreign: boolean): string {
  const proven = "outcome" in result ? result.outcome.audit?.identity : undefined;
  return foreign
    ? beginningWith(JSON.stringify(foreignIdentity(call)))
    : identityText(call, proven, beginningWith);
}

function beginningWith(identity: string): string {
  return `{"eventVersion":"${eventVersion}","userIdentity":${identity},"eventTime":"`;
}

interface Where {
  readonly region: string;
  readonly address: string;
  readonly userAgent: string;
  readonly text: string;
}

/** Of each operation the latest: who calls often calls from one place. */
const latestWhere = new WeakMap<AnyOperation, Where>();

/** From the end of the time to `userAgent`. */
export function whereText({ operation, table, call }: FinishedCall, region: string): string {
  const { address, userAgent } = sourceOf(call);
  const latest = latestWhere.get(operation);
  if (
    latest !== undefined &&
    latest.region === region &&
    latest.address === address &&
    latest.userAgent === userAgent
  ) {
    return latest.text;
  }
  const text =
    `","eventSource":"${table.eventSource}","eventName":"${operation.name}"` +
    `,"awsRegion":${quoted(region)},"sourceIPAddress":${quoted(address)}` +
    `,"userAgent":${quoted(truncate(userAgent))}`;
  latestWhere.set(operation, { region, address, userAgent, text });
  return text;
}

/** What an ending is made of beside the operation. */
interface EndingFacts {
  readonly resourceType: string | undefined;
  readonly ownerAccountId: string | undefined;
  readonly recipientAccountId: string;
  readonly endpoint: string | undefined;
  readonly tls: string | undefined;
}

/** Of each operation by the resource's ARN; "" without one. Nearly always there is one. */
const knownEndings = new WeakMap<AnyOperation, Map<string, EndingFacts & { text: string }>>();
const endingsMax = 1024;

/** From `readOnly` to the record's end. */
export function ending(
  { operation, call }: FinishedCall,
  resources: readonly AuditResource[],
  recipientAccountId: string,
  foreign: boolean,
): string {
  const [resource] = resources;
  const facts: EndingFacts = {
    resourceType: resource?.type,
    ownerAccountId: resource?.accountId,
    recipientAccountId,
    endpoint: foreign ? undefined : endpointId(call),
    tls: foreign ? undefined : tlsDetails(call),
  };
  if (resources.length > 1) return endingText(operation, resources, facts);
  let known = knownEndings.get(operation);
  if (known === undefined) {
    known = new Map();
    knownEndings.set(operation, known);
  }
  const arn = resource?.arn ?? "";
  const before = known.get(arn);
  if (before !== undefined && isSame(before, facts)) return before.text;
  if (known.size >= endingsMax) known.clear();
  const text = endingText(operation, resources, facts);
  known.set(arn, { ...facts, text });
  return text;
}

function isSame(one: EndingFacts, other: EndingFacts): boolean {
  return (
    one.recipientAccountId === other.recipientAccountId &&
    one.tls === other.tls &&
    one.endpoint === other.endpoint &&
    one.resourceType === other.resourceType &&
    one.ownerAccountId === other.ownerAccountId
  );
}

function endingText(
  { audit }: AnyOperation,
  resources: readonly AuditResource[],
  { recipientAccountId, endpoint, tls }: EndingFacts,
): string {
  const management = audit.category === "management";
  return (
    `,"readOnly":${audit.readOnly}${resourcesText(resources)}` +
    `,"eventType":"AwsApiCall","managementEvent":${management}` +
    `,"recipientAccountId":${quoted(recipientAccountId)}` +
    `,"eventCategory":"${management ? "Management" : "Data"}"` +
    (endpoint === undefined ? "" : `,"vpcEndpointId":${quoted(endpoint)}`) +
    (tls === undefined ? "" : `,"tlsDetails":${tls}`) +
    "}"
  );
}

/** AWS: absent where a record has none. */
export function resourcesText(resources: readonly AuditResource[]): string {
  if (resources.length === 0) return "";
  const each = resources.map(
    ({ accountId, type, arn }) =>
      `{"accountId":${quoted(accountId)},"type":"${type}","ARN":${quoted(arn)}}`,
  );
  return `,"resources":[${each.join(",")}]`;
}
