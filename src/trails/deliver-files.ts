import { type ChainKey, chainHash, waitingFacts } from "../crypto/chain.ts";
import type { RecordView } from "../kernel/records.ts";
import type {
  DeliveredFile,
  DeliveryRecord,
  FilePlan,
  RegionDelivery,
} from "../services/cloudtrail/deliveries.ts";
import { textOf } from "../services/cloudtrail/packed-records.ts";
import type { ListWaiting, RemoveWaiting, WaitingBatch } from "../services/cloudtrail/store.ts";
import { gzip, sha256 } from "./form.ts";
import { logFileKey, uniqueString } from "./names.ts";
import { notifyOf } from "./notify.ts";
import { type DeliveryDependencies, filePeriodMs, type Step, type TrailNow } from "./step.ts";

/** AWS: 50 MB are the most of a file; memory is dearer here. */
const fileBytesMax = 16 * 1024 * 1024;
const damagedMax = 100;

/**
 * Log files in two commits: first their names, then that they are there. A restart in between
 * writes the same events under the same names: no file is ever there twice, or unaccounted for.
 */
export async function fileStep<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  now: TrailNow,
): Promise<Step> {
  const { delivery, waitingSinceMs, nowMs, logging } = now;
  if (delivery.plan) return writeFiles(deps, now, delivery.plan);
  if (waitingSinceMs === undefined) return { nextMs: undefined };
  const dueMs = waitingSinceMs + filePeriodMs;
  const stillEarly = logging && nowMs < dueMs && nowMs >= waitingSinceMs;
  return stillEarly ? { nextMs: dueMs } : planFiles(deps, now);
}

async function planFiles<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  now: TrailNow,
): Promise<Step> {
  const { identity, nowMs, delivery, target } = now;
  const batches = await deps.ask<ListWaiting>({
    kind: "trail.waiting",
    trail: identity,
    bytesMax: fileBytesMax,
  });
  const last = batches.at(-1);
  if (last === undefined) return { nextMs: undefined };
  const broken = brokenLinks(deps.chainKeys, now, batches);
  if (broken.length > 0) {
    const facts = { trail: identity.name, numbers: broken.slice(0, 10) };
    deps.log.error("events that waited for a trail were changed or removed", facts);
  }
  const regions = [...new Set(batches.map(({ eventRegion }) => eventRegion))];
  const plan: FilePlan = {
    atMs: nowMs,
    throughNumber: last.number,
    throughHash: Buffer.from(last.hash).toString("hex"),
    files: regions.map((region) => ({
      region,
      key: logFileKey(
        target.prefix,
        identity.accountId,
        region,
        nowMs,
        uniqueString((length) => deps.random.bytes(length)),
      ),
    })),
  };
  const noticed = broken.map((number) => ({ number, noticedMs: nowMs }));
  const damaged = [...delivery.damaged, ...noticed].slice(0, damagedMax);
  return { delivery: { ...delivery, plan, damaged }, commands: [] };
}

/** Numbers of waiting batches that do not follow from those before them. */
function brokenLinks(
  keys: readonly ChainKey[],
  { identity, delivery }: TrailNow,
  batches: readonly WaitingBatch[],
): readonly number[] {
  const { accountId, region, name: lane } = identity;
  let number = delivery.throughNumber;
  let before: Uint8Array = Buffer.from(delivery.throughHash, "hex");
  const broken: number[] = [];
  for (const batch of batches) {
    const key = keys.find(({ version }) => version === batch.keyVersion);
    const place = { accountId, region, lane, number: batch.number };
    const follows =
      batch.number === number + 1 &&
      key !== undefined &&
      chainHash(key, place, before, waitingFacts(batch), batch.records).equals(batch.hash);
    if (!follows) broken.push(batch.number);
    number = batch.number;
    before = batch.hash;
  }
  return broken;
}

async function writeFiles<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  now: TrailNow,
  plan: FilePlan,
): Promise<Step> {
  const { identity: trail, target, nowMs } = now;
  const { throughNumber } = plan;
  const batches = await deps.ask<ListWaiting>({
    kind: "trail.waiting",
    trail,
    throughNumber,
    bytesMax: Number.MAX_SAFE_INTEGER,
  });
  const written = new Map<string, DeliveredFile>();
  for (const { region, key } of plan.files) {
    const own = batches.filter(({ eventRegion }) => eventRegion === region);
    if (own.length > 0) written.set(region, await writeFile(deps, now, key, own));
  }
  const notification = await notifyOf(deps, trail, target, [...written.values()], nowMs);
  const { plan: _done, latestDeliveryError: _past, ...before } = now.delivery;
  const delivery: DeliveryRecord = {
    ...before,
    throughNumber,
    throughHash: plan.throughHash,
    regions: withFiles(now, plan, written),
    latestDeliveryMs: nowMs,
    latestAttemptMs: nowMs,
    ...notification,
  };
  const remove: RemoveWaiting = { kind: "trail.delivered", trail, throughNumber };
  return { delivery, commands: [remove] };
}

async function writeFile<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  { identity: trail, target }: TrailNow,
  key: string,
  batches: readonly WaitingBatch[],
): Promise<DeliveredFile> {
  const { remote, bucket, kmsKeyArn } = target;
  const text = logFileText(batches);
  const bytes = await deps.sealing.seal({ trail, bucket, key }, gzip(text), kmsKeyArn);
  const place = { remote, bucket, trailName: trail.name, region: trail.region };
  await deps.objects.put(place, key, { bytes, metadata: {} });
  return {
    remote,
    bucket,
    key,
    hash: sha256(text),
    objectHash: sha256(bytes),
    newestMs: Math.max(...batches.map(({ newestMs }) => newestMs)),
    oldestMs: Math.min(...batches.map(({ oldestMs }) => oldestMs)),
  };
}

/** AWS: `{"Records":[…]}` */
function logFileText(batches: readonly WaitingBatch[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { records } of batches) {
    const text = textOf(records);
    // Somebody else wrote it: its place in the chain was found broken.
    if (text === undefined) continue;
    parts.push(parts.length === 0 ? recordsStart : comma, text);
  }
  if (parts.length === 0) parts.push(recordsStart);
  return Buffer.concat([...parts, recordsEnd]);
}

const recordsStart = Buffer.from('{"Records":[');
const comma = Buffer.from(",");
const recordsEnd = Buffer.from("]}");

/** Files wait for their region's next digest; without digests only the time of it is noted. */
function withFiles(
  { delivery, target, nowMs }: TrailNow,
  plan: FilePlan,
  written: ReadonlyMap<string, DeliveredFile>,
): readonly RegionDelivery[] {
  const regions = new Map(delivery.regions.map((region) => [region.region, region]));
  for (const [region, file] of written) {
    const before = regions.get(region) ?? newRegion(region);
    const open = target.validation || before.startMs > 0;
    regions.set(
      region,
      open
        ? { ...openChain(before, Math.min(plan.atMs, nowMs)), files: [...before.files, file] }
        : withoutDigests(before, plan.atMs),
    );
  }
  return [...regions.values()];
}

export function newRegion(region: string): RegionDelivery {
  return { region, startMs: 0, files: [], closed: [], unvalidated: [] };
}

/** A chain of digests begins, unless one is under way. */
export function openChain(region: RegionDelivery, atMs: number): RegionDelivery {
  if (region.startMs > 0) return region;
  const unvalidated = region.unvalidated.map((time) => ({ ...time, toMs: time.toMs ?? atMs }));
  return { ...region, startMs: atMs, unvalidated };
}

function withoutDigests(region: RegionDelivery, fromMs: number): RegionDelivery {
  const open = region.unvalidated.some(({ toMs }) => toMs === undefined);
  return open ? region : { ...region, unvalidated: [...region.unvalidated, { fromMs }] };
}
