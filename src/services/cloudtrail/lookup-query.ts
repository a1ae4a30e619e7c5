import type { LookupEventsRequest } from "@aws-sdk/client-cloudtrail";
import type { Call } from "../../kernel/call.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { LookupAttribute, LookupAuditEvents } from "./store.ts";

/** AWS: the event history reaches back 90 days. */
const historyMs = 90 * 86_400_000;

/** AWS: events of one page. */
const eventsMax = 50;

const attributeNames = [
  "EventId",
  "EventName",
  "Username",
  "EventSource",
  "AccessKeyId",
  "ResourceType",
  "ResourceName",
] as const;

/** A LookupEvents request that passed all checks. */
export interface Lookup {
  /** Undefined: asks for a kind of event that does not exist here, so nothing is found. */
  readonly query: LookupAuditEvents | undefined;
  /** What a token for the next page is bound to. */
  readonly binding: string;
}

/**
 * Reads a request. Throws InvalidLookupAttributes, InvalidTimeRange, InvalidMaxResults,
 * InvalidEventCategory, InvalidNextToken.
 */
export function readLookup(input: Wire<LookupEventsRequest>, call: Call): Lookup {
  const attribute = readAttribute(input.LookupAttributes ?? []);
  const { startMs, endMs } = readRange(input, call.now);
  const limit = input.MaxResults ?? eventsMax;
  if (limit < 1 || limit > eventsMax) {
    throw invalid(
      "MaxResults",
      `The maximum number of results must be between 1 and ${eventsMax}.`,
    );
  }
  const insight = readInsight(input.EventCategory);
  const { accountId, region } = call;
  const binding = JSON.stringify([
    accountId,
    region,
    attribute?.name ?? null,
    attribute?.value ?? null,
    input.StartTime ?? null,
    input.EndTime ?? null,
    insight,
  ]);
  const after = input.NextToken === undefined ? undefined : readToken(input.NextToken, binding);
  const place = { kind: "audit.lookup", accountId, region } as const;
  // AWS: an Insights event is made by a trail that looks for unusual activity; none does here.
  const asked = { ...place, startMs, endMs, limit, ...(attribute && { attribute }) };
  const query = insight ? undefined : { ...asked, ...(after && { after }) };
  return { query, binding };
}

type Given = NonNullable<Wire<LookupEventsRequest>["LookupAttributes"]>;

function readAttribute(given: Given): LookupAttribute | undefined {
  const [first, ...more] = given;
  if (first === undefined) return undefined;
  if (more.length > 0) {
    throw invalid("LookupAttributes", "You can only specify one lookup attribute.");
  }
  const { AttributeKey: key, AttributeValue: value } = first;
  if (value.length < 1 || value.length > 2000) {
    throw invalid("LookupAttributes", "The value of a lookup attribute has 1 to 2000 characters.");
  }
  if (key === "ReadOnly") {
    if (value !== "true" && value !== "false") {
      throw invalid("LookupAttributes", "The value of ReadOnly must be true or false.");
    }
    return { name: "ReadOnly", value: value === "true" };
  }
  const name = attributeNames.find((known) => known === key);
  if (name === undefined) {
    throw invalid("LookupAttributes", `${key} is not a valid lookup attribute.`);
  }
  return { name, value };
}

function readRange(
  { StartTime, EndTime }: Wire<LookupEventsRequest>,
  now: EpochMs,
): { startMs: EpochMs; endMs: EpochMs } {
  const earliestMs = now - historyMs;
  if (StartTime !== undefined && EndTime !== undefined && StartTime > EndTime) {
    throw invalid("TimeRange", "The start time must be before the end time.");
  }
  // AWS: both ends count; a time has whole seconds, an event the rest of its second.
  const endMs = EndTime === undefined ? Number.MAX_SAFE_INTEGER : EndTime + 999;
  if (endMs < earliestMs) {
    throw invalid("TimeRange", "The time range is older than the event history of 90 days.");
  }
  const startMs = StartTime ?? earliestMs;
  return { startMs: Math.max(startMs, earliestMs), endMs };
}

function readInsight(category: string | undefined): boolean {
  if (category === undefined) return false;
  if (category === "insight") return true;
  throw invalid("EventCategory", `${category} is not a valid event category.`);
}

/** AWS?: the texts behind these codes. */
function invalid(what: string, text: string): Refusal {
  return new Refusal(`Invalid${what}Exception`, text);
}

interface Position {
  readonly timeMs: number;
  readonly number: number;
}

/** A token that continues behind an event, for the very same question. */
export function tokenAfter({ timeMs, number }: Position, binding: string): string {
  return Buffer.from(JSON.stringify([timeMs, number, binding]), "utf8").toString("base64url");
}

function readToken(token: string, binding: string): Position {
  const text = Buffer.from(token, "base64url").toString("utf8");
  const match = /^\[(\d{1,16}),(\d{1,16}),/.exec(text);
  const position = { timeMs: Number(match?.[1]), number: Number(match?.[2]) };
  if (match && tokenAfter(position, binding) === token) return position;
  throw invalid("NextToken", "Invalid or expired next token, or one of another query.");
}
