import type { EpochMs } from "../kernel/clock.ts";
import { Fault, Refusal } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { DeliveredFile, DeliveryRecord, Target } from "../services/cloudtrail/deliveries.ts";
import type { TrailIdentity } from "../services/cloudtrail/store.ts";

type Notified = Pick<
  DeliveryRecord,
  "latestNotificationMs" | "latestNotificationAttemptMs" | "latestNotificationError"
>;

/**
 * AWS: a message per delivery to the trail's topic. One that fails is not tried again: the files
 * are there, and the status says so.
 */
export async function notifyOf(
  deps: {
    readonly notify: (trail: TrailIdentity, topicArn: string, message: string) => Promise<void>;
    readonly log: Log;
  },
  trail: TrailIdentity,
  { topicArn, bucket }: Target,
  files: readonly DeliveredFile[],
  nowMs: EpochMs,
): Promise<Notified> {
  if (topicArn === undefined || files.length === 0) return {};
  const keys = files.map(({ key }) => key);
  const message = JSON.stringify({ s3Bucket: bucket, s3ObjectKey: keys });
  try {
    await deps.notify(trail, topicArn, message);
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Fault)) throw error;
    deps.log.warn("a trail's topic was not told of its files", { trail: trail.name, error });
    const code = error instanceof Refusal ? error.code : error.kind;
    return { latestNotificationAttemptMs: nowMs, latestNotificationError: code };
  }
  return {
    latestNotificationMs: nowMs,
    latestNotificationAttemptMs: nowMs,
    latestNotificationError: undefined,
  };
}
