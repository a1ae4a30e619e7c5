import { accountFolder, digestTime, isDigestOf, logFileTime } from "./names.ts";
import { type Location, note, objectName, placeOf, type TrailCheck } from "./verify-check.ts";

/** A name can only say the minute. */
const nameToleranceMs = 60_000;

/** What lies where the trail delivers and is none of its files. */
export async function checkStrangers(check: TrailCheck, known: ReadonlySet<string>): Promise<void> {
  for (const [prefix, location] of foldersOf(check)) {
    for (const key of await check.deps.objects.list(placeOf(check, location), prefix)) {
      if (known.has(objectName(check, location, key))) continue;
      if (isUnderWay(check, key)) continue;
      const kind = key.includes("/CloudTrail-Digest/") ? "digest" : "log";
      // Digests of other trails lie beside ours.
      if (kind === "digest" && location.remote && !isOwnDigest(check, key)) continue;
      if (kind === "log" && isBlind(check, key)) check.notCovered += 1;
      else note(check, kind, { ...location, key }, "was not delivered by the trail");
    }
  }
}

/** A restart finishes these. */
function isUnderWay({ delivery, identity }: TrailCheck, key: string): boolean {
  if (delivery.plan?.files.some((file) => file.key === key)) return true;
  return delivery.regions.some(
    ({ region, digestEndMs }) =>
      digestEndMs !== undefined &&
      isDigestOf(key, identity, region) &&
      digestTime(key) === Math.floor(digestEndMs / 1000) * 1000,
  );
}

function isOwnDigest({ identity, delivery }: TrailCheck, key: string): boolean {
  return delivery.regions.some(({ region }) => isDigestOf(key, identity, region));
}

/** In the data folder the whole folder of the trail; in a bucket, the account's part of it. */
function foldersOf({ identity, delivery }: TrailCheck): readonly (readonly [string, Location])[] {
  const { target, regions } = delivery;
  if (!target.remote) return [["", target]];
  const folder = accountFolder(target.prefix, identity.accountId);
  return regions.flatMap(({ region }) =>
    ["CloudTrail", "CloudTrail-Digest"].map((part): readonly [string, Location] => [
      `${folder}/${part}/${region}/`,
      target,
    ]),
  );
}

function isBlind({ delivery, blind }: TrailCheck, key: string): boolean {
  const atMs = logFileTime(key);
  if (atMs === undefined) return false;
  const inside = (fromMs: number, toMs: number) => atMs >= fromMs - nameToleranceMs && atMs <= toMs;
  return delivery.regions.some(
    ({ region, unvalidated }) =>
      key.includes(`/CloudTrail/${region}/`) &&
      (unvalidated.some(({ fromMs, toMs }) => inside(fromMs, toMs ?? Number.MAX_SAFE_INTEGER)) ||
        blind.some((time) => time.region === region && inside(time.fromMs, time.toMs))),
  );
}
