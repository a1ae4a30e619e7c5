import type { Event, LookupEventsRequest, LookupEventsResponse } from "@aws-sdk/client-cloudtrail";
import { formatArn } from "../../../kernel/arn.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { readLookup, tokenAfter } from "../lookup-query.ts";
import type { CloudtrailDependencies } from "../ports.ts";
import { refuse } from "../refusals.ts";
import type { HistoryEvent, LookupAuditEvents } from "../store.ts";

type Input = Wire<LookupEventsRequest>;
type Output = Wire<LookupEventsResponse>;

/**
 * AWS: LookupEvents: management events of the last 90 days of the account in the region, newest
 * first. DIFFERS: readable at once after the call they tell of (AWS: some minutes); AWS's limit of
 * two calls a second is a setting.
 */
export function lookupEventsOperation({
  ask,
  lookupRate: rate,
}: CloudtrailDependencies): Operation<Input, Output> {
  return {
    name: "LookupEvents",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["LookupAttributes", "StartTime", "EndTime", "EventCategory", "MaxResults"],
    },
    // AWS: no resource of its own; authorised on everything.
    resources: (_input, { accountId, region }) => [
      { arn: formatArn("cloudtrail", region, accountId, "*"), accountId },
    ],
    async handle(input, call) {
      const { accountId, region, arrivedSystemMs } = call;
      if (rate && !(await rate.take(`${accountId}/${region}`, arrivedSystemMs))) {
        throw refuse("ThrottlingException", "Rate exceeded");
      }
      const { query, binding } = readLookup(input, call);
      if (!query) return { output: { Events: [] } };
      const found = await ask<LookupAuditEvents>({ ...query, limit: query.limit + 1 });
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      const more = found.length > page.length && last !== undefined;
      const NextToken = more ? tokenAfter(last, binding) : undefined;
      return { output: { Events: page.map(describe), NextToken } };
    },
  };
}

function describe(event: HistoryEvent): Wire<Event> {
  return {
    EventId: event.eventId,
    EventName: event.eventName,
    ReadOnly: String(event.readOnly),
    ...(event.accessKeyId === "" ? {} : { AccessKeyId: event.accessKeyId }),
    EventTime: event.timeMs,
    EventSource: event.eventSource,
    ...(event.username === "" ? {} : { Username: event.username }),
    Resources: event.resources.map(({ type, name }) => ({
      ResourceType: type,
      ResourceName: name,
    })),
    CloudTrailEvent: event.record,
  };
}
