import type { EpochMs } from "../kernel/clock.ts";
import { Fault, Refusal, StaleDecision } from "../kernel/errors.ts";
import type { RecordView } from "../kernel/records.ts";
import { deliveryRecords, firstDelivery, targetOf } from "../services/cloudtrail/deliveries.ts";
import { trailArn } from "../services/cloudtrail/names.ts";
import { trailId, trailRecords } from "../services/cloudtrail/records.ts";
import type {
  ListAccountsWith,
  ListWaiting,
  ListWaitingTrails,
  TrailIdentity,
} from "../services/cloudtrail/store.ts";
import { digestStep } from "./deliver-digests.ts";
import { fileStep } from "./deliver-files.ts";
import { ObjectError } from "./objects.ts";
import { type DeliveryDependencies, filePeriodMs, type TrailNow } from "./step.ts";

/** A step makes one change; more than this in a row is a loop that is a bug. */
const stepsMax = 10_000;

/**
 * Delivers what is due of all trails; answers when to come again (undefined: when woken). What
 * fails is kept in GetTrailStatus and tried again after the usual time.
 */
export async function deliverDue<View extends RecordView>(
  deps: DeliveryDependencies<View>,
): Promise<EpochMs | undefined> {
  let nextMs: EpochMs | undefined;
  for (const identity of await trailsOf(deps)) {
    const dueMs = await deliverTrail(deps, identity);
    if (dueMs !== undefined) nextMs = Math.min(nextMs ?? dueMs, dueMs);
  }
  return nextMs;
}

/** Trails that are there, and deleted ones whose last files have not gone out. */
async function trailsOf<View extends RecordView>({
  ask,
  records,
}: DeliveryDependencies<View>): Promise<readonly TrailIdentity[]> {
  const view = records.view();
  const found = new Map<string, TrailIdentity>();
  const add = (trail: TrailIdentity) => found.set(trailArn(trail), trail);
  const having: ListAccountsWith = { kind: "trail.accounts", recordKind: trailRecords.kind };
  for (const accountId of await ask(having)) {
    for (const { value } of await trailRecords.list(view, { accountId, region: "" })) {
      add({ accountId, region: value.homeRegion, name: value.name });
    }
  }
  for (const { value } of await deliveryRecords.list(view)) {
    add({ accountId: value.accountId, region: value.homeRegion, name: value.name });
  }
  for (const waiting of await ask<ListWaitingTrails>({ kind: "trail.trails" })) add(waiting);
  return [...found.values()];
}

async function deliverTrail<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  identity: TrailIdentity,
): Promise<EpochMs | undefined> {
  for (let step = 0; step < stepsMax; step += 1) {
    try {
      const { nextMs, again } = await takeStep(deps, identity);
      if (!again) return nextMs;
    } catch (error) {
      // The trail was changed meanwhile: look again.
      if (error instanceof StaleDecision) continue;
      await noteFailure(deps, identity, error);
      return deps.clock.now() + filePeriodMs;
    }
  }
  throw new Error(`the delivery of trail ${identity.name} comes to no end`);
}

async function takeStep<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  identity: TrailIdentity,
): Promise<{ again: boolean; nextMs?: EpochMs | undefined }> {
  const view = deps.records.view();
  const now = await lookAt(deps, view, identity);
  if (now === undefined) return { again: false };
  const files = await fileStep(deps, now);
  const step = "delivery" in files ? files : await digestStep(deps, now, files.nextMs);
  if (!("delivery" in step)) return { again: false, nextMs: step.nextMs };
  await deps.records.commit(view, [
    deliveryRecords.put(identity, { ...step.delivery, target: now.target }),
    ...step.commands,
  ]);
  return { again: true };
}

async function lookAt<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  view: View,
  identity: TrailIdentity,
): Promise<TrailNow | undefined> {
  const { accountId, region, name } = identity;
  const scope = { accountId, region: "" };
  const trail = await trailRecords.get(view, scope, trailId(region, name));
  const before = await deliveryRecords.get(view, identity);
  const target = trail ? targetOf(trail) : before?.target;
  if (target === undefined) {
    deps.log.error("events wait for a trail that nothing is known of", { trail: name });
    return undefined;
  }
  const [first] = await deps.ask<ListWaiting>({
    kind: "trail.waiting",
    trail: identity,
    bytesMax: 0,
  });
  return {
    identity,
    nowMs: deps.clock.now(),
    logging: trail?.logging === true,
    target,
    delivery: before ?? firstDelivery(identity, target),
    waitingSinceMs: first?.oldestMs,
  };
}

/** AWS: GetTrailStatus shows the code of the error. */
async function noteFailure<View extends RecordView>(
  deps: DeliveryDependencies<View>,
  identity: TrailIdentity,
  error: unknown,
): Promise<void> {
  const { log, records, clock } = deps;
  const known = error instanceof ObjectError || error instanceof Refusal;
  const code = known ? error.code : error instanceof Fault ? error.kind : "InternalError";
  log.error("a trail could not deliver; it is tried again", { trail: identity.name, error });
  try {
    const view = records.view();
    const now = await lookAt(deps, view, identity);
    if (now === undefined) return;
    const { plan, regions } = now.delivery;
    const digest = plan === undefined && regions.some((region) => region.digestEndMs);
    const latest = digest
      ? { latestDigestError: code }
      : { latestDeliveryError: code, latestAttemptMs: clock.now() };
    await records.commit(view, [
      deliveryRecords.put(identity, { ...now.delivery, target: now.target, ...latest }),
    ]);
  } catch (failure) {
    log.warn("the state of a trail could not be kept", { trail: identity.name, error: failure });
  }
}
