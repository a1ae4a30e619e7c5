import { formatArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { AuditRule, Operation, Outcome } from "../../kernel/operation.ts";
import { readTrail, type TrailReference, trailArn } from "./names.ts";
import { type TrailRecord, trailId, trailRecords } from "./records.ts";
import { invalidArn, refuse, unknownTrail } from "./refusals.ts";
import type { TrailIdentity } from "./store.ts";

/** A trail that an operation works on. */
export interface FoundTrail {
  readonly identity: TrailIdentity;
  readonly arn: string;
  readonly record: Readonly<TrailRecord>;
}

export interface TrailOperation<I, O> {
  readonly name: string;
  readonly access: Operation<I, O>["access"];
  readonly audit: AuditRule<I, O>;
  /** Name or ARN of the trail. */
  trail(input: I): string;
  /** Changes are made in the home region of a trail only. */
  readonly homeOnly: boolean;
  handle(input: I, call: Call, trail: FoundTrail): Promise<Outcome<O>> | Outcome<O>;
}

/** An operation on one trail, which is authorised before it is known to be there. */
export function trailOperation<I, O>(given: TrailOperation<I, O>): Operation<I, O> {
  const { name, access, audit } = given;
  return {
    name,
    access,
    audit,
    resources(input, call) {
      const reference = readTrail(given.trail(input), call);
      const type = "AWS::CloudTrail::Trail";
      return [{ arn: trailArn(reference), accountId: reference.accountId, type }];
    },
    async handle(input, call) {
      const text = given.trail(input);
      const found = await findTrail(call, readTrail(text, call));
      if (!found) throw unknownTrail(text, call.accountId);
      if (given.homeOnly && found.identity.region !== call.region) {
        // AWS?: the text.
        throw refuse(
          "InvalidHomeRegionException",
          `Trail ${found.arn} must be updated from its home region ${found.identity.region}.`,
        );
      }
      return given.handle(input, call, found);
    },
  };
}

/** AWS: a multi-region trail is seen in every region. */
export async function findTrail(
  call: Call,
  { accountId, region, name, given }: TrailReference,
): Promise<FoundTrail | undefined> {
  const here = await trailRecords.get(call.records, scope(accountId), trailId(region, name));
  if (here) return foundTrail(accountId, here);
  if (given === "arn") return undefined;
  const all = await trailRecords.list(call.records, scope(accountId));
  const shadow = all.find(({ value }) => value.multiRegion && value.name === name);
  return shadow && foundTrail(accountId, shadow.value);
}

export function foundTrail(accountId: string, record: Readonly<TrailRecord>): FoundTrail {
  const identity = { accountId, region: record.homeRegion, name: record.name };
  return { identity, arn: trailArn(identity), record };
}

/** The command that keeps a changed trail. */
export function putTrail({ accountId }: TrailIdentity, record: TrailRecord) {
  return trailRecords.put(scope(accountId), trailId(record.homeRegion, record.name), record);
}

export function removeTrail({ accountId, region, name }: TrailIdentity) {
  return trailRecords.remove(scope(accountId), trailId(region, name));
}

export function scope(accountId: string) {
  return { accountId, region: "" };
}

/** For operations on all trails of an account. */
export function everyTrail({ accountId, region }: Call) {
  return [{ arn: formatArn("cloudtrail", region, accountId, "*"), accountId }];
}

/** AWS: tags name their trail by ARN only. Throws CloudTrailARNInvalid. */
export function requireArn(text: string): string {
  if (text.startsWith("arn:")) return text;
  throw invalidArn(text);
}
