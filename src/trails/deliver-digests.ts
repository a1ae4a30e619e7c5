import type { EpochMs } from "../kernel/clock.ts";
import type { RecordView } from "../kernel/records.ts";
import type { DeliveryRecord, RegionDelivery } from "../services/cloudtrail/deliveries.ts";
import { newRegion, openChain } from "./deliver-files.ts";
import {
  digestText,
  referenceOf,
  signatureAlgorithm,
  signatureComment,
  textToSign,
} from "./digest.ts";
import { gzip } from "./form.ts";
import { digestKey, secondsTime } from "./names.ts";
import { type DeliveryDependencies, digestPeriodMs, type Step, type TrailNow } from "./step.ts";

/**
 * Digests, likewise in two commits: when it ends, then that it is there. AWS: a stopped or deleted
 * trail gets a last one; a chain begins anew when logging or validation does.
 */
export async function digestStep<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  now: TrailNow,
  filesNextMs: EpochMs | undefined,
): Promise<Step> {
  const { delivery, target, identity, nowMs, logging } = now;
  const going = logging && target.validation;
  const home = delivery.regions.find(({ region }) => region === identity.region);
  if (going && !(home && home.startMs > 0)) {
    return changed(delivery, openChain(home ?? newRegion(identity.region), nowMs));
  }
  let nextMs = filesNextMs;
  for (const region of delivery.regions) {
    if (region.digestEndMs !== undefined) {
      return writeDigest(deps, now, region, region.digestEndMs, going);
    }
    if (region.startMs === 0) continue;
    const dueMs = dueOf(region, going);
    if (nowMs >= dueMs) return changed(delivery, { ...region, digestEndMs: nowMs });
    nextMs = Math.min(nextMs ?? dueMs, dueMs);
  }
  return { nextMs };
}

/** Names count seconds: two digests of one second would have one name. */
function dueOf({ startMs }: RegionDelivery, going: boolean): EpochMs {
  return going ? startMs + digestPeriodMs : (Math.floor(startMs / 1000) + 1) * 1000;
}

function changed(delivery: DeliveryRecord, region: RegionDelivery): Step {
  const others = delivery.regions.filter((other) => other.region !== region.region);
  return { delivery: { ...delivery, regions: [...others, region] }, commands: [] };
}

async function writeDigest<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  { identity: trail, target, delivery, nowMs }: TrailNow,
  region: RegionDelivery,
  endMs: EpochMs,
  going: boolean,
): Promise<Step> {
  const { bucket, remote } = target;
  const key = digestKey(target.prefix, trail, region.region, endMs);
  const signer = await deps.signer.present(region.region);
  const own = { bucket, key, endMs, fingerprint: signer.fingerprint };
  const text = Buffer.from(digestText(trail.accountId, region, own));
  const previous = region.previous?.signature ?? null;
  const signature = signer.sign(textToSign(secondsTime(endMs), bucket, key, text, previous));
  // AWS: digests are never under the trail's KMS key.
  const zipped = gzip(text, signatureComment(signature));
  const bytes = await deps.sealing.seal({ trail, bucket, key }, zipped, undefined);
  const place = { remote, bucket, trailName: trail.name, region: trail.region };
  await deps.objects.put(place, key, {
    bytes,
    metadata: { signature, "signature-algorithm": signatureAlgorithm },
  });
  const reference = referenceOf({ remote, bucket }, key, text, signature, endMs);
  const { digestEndMs: _done, previous: _before, ...rest } = region;
  const after: RegionDelivery = going
    ? { ...rest, startMs: endMs, previous: reference, files: [] }
    : { ...rest, startMs: 0, files: [], closed: [...region.closed, reference] };
  const { latestDigestError: _past, ...state } = delivery;
  return changed({ ...state, latestDigestMs: nowMs }, after);
}
