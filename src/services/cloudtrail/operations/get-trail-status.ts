import type { GetTrailStatusRequest, GetTrailStatusResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { type DeliveryRecord, deliveryRecords } from "../deliveries.ts";
import type { TrailRecord } from "../records.ts";
import { trailOperation } from "../trail-operation.ts";

type Input = Wire<GetTrailStatusRequest>;
type Output = Wire<GetTrailStatusResponse>;

export function getTrailStatusOperation(): Operation<Input, Output> {
  return trailOperation<Input, Output>({
    name: "GetTrailStatus",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["Name"] },
    trail: ({ Name }) => Name,
    homeOnly: false,
    async handle(_input, call, { identity, record }) {
      const delivery = await deliveryRecords.get(call.records, identity);
      return { output: present(record, delivery) };
    },
  });
}

function present(trail: TrailRecord, delivery: Readonly<DeliveryRecord> | undefined): Output {
  const members: Record<string, unknown> = {
    IsLogging: trail.logging,
    StartLoggingTime: trail.startedMs,
    StopLoggingTime: trail.stoppedMs,
    TimeLoggingStarted: text(trail.startedMs),
    TimeLoggingStopped: text(trail.stoppedMs),
    LatestDeliveryTime: delivery?.latestDeliveryMs,
    LatestDeliveryError: delivery?.latestDeliveryError,
    LatestDeliveryAttemptTime: text(delivery?.latestAttemptMs),
    LatestDeliveryAttemptSucceeded: succeeded(
      delivery?.latestAttemptMs,
      delivery?.latestDeliveryError,
    ),
    LatestDigestDeliveryTime: delivery?.latestDigestMs,
    LatestDigestDeliveryError: delivery?.latestDigestError,
    LatestNotificationTime: delivery?.latestNotificationMs,
    LatestNotificationError: delivery?.latestNotificationError,
    LatestNotificationAttemptTime: text(delivery?.latestNotificationAttemptMs),
    LatestNotificationAttemptSucceeded: succeeded(
      delivery?.latestNotificationAttemptMs,
      delivery?.latestNotificationError,
    ),
  };
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as Output;
}

/** AWS: times as text, "" for never. */
function text(ms: number | undefined): string {
  return ms === undefined ? "" : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** AWS: the time of the attempt if it succeeded, else "". */
function succeeded(attemptMs: number | undefined, error: string | undefined): string {
  return error === undefined ? text(attemptMs) : "";
}
