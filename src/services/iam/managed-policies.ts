import type { Policy } from "@aws-sdk/client-iam";
import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { EpochMs } from "../../kernel/clock.ts";
import type { Command } from "../../kernel/command.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { AttachedPolicy } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { type Soon, soon } from "../../kernel/soon.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { UseCounts } from "./attachments.ts";
import { awsManagedPolicies } from "./aws-managed.ts";
import { accessDenied, noSuchEntity, validationError } from "./refusals.ts";
import {
  accountScope,
  managedPolicies,
  nameKey,
  type PolicyRecord,
  type PolicyVersionRecord,
} from "./store.ts";
import { shownTags, tagContext } from "./tags.ts";

/** A managed policy, of the account or of AWS. */
export interface ManagedPolicy {
  readonly arn: string;
  readonly policyName: string;
  readonly policyId: string;
  readonly path: string;
  readonly description: string | undefined;
  readonly createdMs: EpochMs;
  readonly updatedMs: EpochMs;
  readonly defaultVersionId: string;
  readonly versions: readonly PolicyVersionRecord[];
  readonly tags: Readonly<Record<string, string>>;
  /** The version that counts. */
  readonly inForce: AttachedPolicy;
  /** undefined: one of AWS's. */
  readonly record: Readonly<PolicyRecord> | undefined;
}

/** AWS: when the oldest of its managed policies were made. */
const awsPoliciesMadeMs = Date.UTC(2015, 1, 6, 18, 40, 58);

export function policyArn(policy: {
  readonly accountId: string;
  readonly path: string;
  readonly policyName: string;
}): string {
  return formatArn("iam", "", policy.accountId, `policy${policy.path}${policy.policyName}`);
}

/** The account's own policies and those of AWS; others' are not there. */
export function findManagedPolicy(
  view: RecordView,
  accountId: string,
  arn: string,
): Soon<ManagedPolicy | undefined> {
  const ofAws = awsManaged.get(arn);
  if (ofAws) return ofAws;
  const parsed = parseArn(arn);
  if (parsed?.service !== "iam" || parsed.accountId !== accountId) return undefined;
  if (!parsed.resource.startsWith("policy/")) return undefined;
  const name = parsed.resource.slice(parsed.resource.lastIndexOf("/") + 1);
  return soon(managedPolicies.get(view, accountScope(accountId), nameKey(name)), (record) =>
    record && policyArn(record) === arn ? ofCustomer(record) : undefined,
  );
}

const shownRecords = new WeakMap<object, ManagedPolicy>();

export function ofCustomer(record: Readonly<PolicyRecord>): ManagedPolicy {
  const known = shownRecords.get(record);
  if (known) return known;
  const { defaultVersionId, versions } = record;
  const inForce = versions.find(({ versionId }) => versionId === defaultVersionId)?.policy;
  if (inForce === undefined) throw new Error("a managed policy has its default version");
  const made = {
    ...record,
    description: record.description,
    arn: policyArn(record),
    inForce,
    record,
  };
  shownRecords.set(record, made);
  return made;
}

export const awsManaged: ReadonlyMap<string, ManagedPolicy> = new Map(
  [...awsManagedPolicies].map(([arn, { policyName, policyId, path, description, policy }]) => [
    arn,
    {
      arn,
      policyName,
      policyId,
      path,
      description,
      createdMs: awsPoliciesMadeMs,
      updatedMs: awsPoliciesMadeMs,
      defaultVersionId: "v1",
      versions: [{ versionId: "v1", createdMs: awsPoliciesMadeMs, policy }],
      tags: {},
      inForce: policy,
      record: undefined,
    },
  ]),
);

const arnForm = /^arn:aws:iam::(\d{12}|aws):policy\/[!-~]+$/;

/** Throws ValidationError for what is no ARN of a policy. */
export function requirePolicyArn(arn: string): void {
  // AWS: two blanks.
  if (parseArn(arn) === undefined) throw validationError("Invalid ARN:  Could not be parsed!");
  if (!arnForm.test(arn)) throw validationError(`ARN ${arn} is not valid.`);
}

/** A policy to look at. Throws NoSuchEntity. */
export async function requireManagedPolicy(call: Call, arn: string): Promise<ManagedPolicy> {
  requirePolicyArn(arn);
  const found = await findManagedPolicy(call.records, call.accountId, arn);
  if (!found) throw noSuchEntity(`Policy ${arn} was not found.`);
  return found;
}

/** A policy to attach or to limit with. Throws NoSuchEntity. */
export async function requireAttachablePolicy(call: Call, arn: string): Promise<ManagedPolicy> {
  requirePolicyArn(arn);
  const found = await findManagedPolicy(call.records, call.accountId, arn);
  if (!found) throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  return found;
}

/** ARN of a policy that may limit a user or role. Throws NoSuchEntity, ValidationError. */
export async function requireBoundary(call: Call, arn: string): Promise<string> {
  if (!arnForm.test(arn)) {
    throw validationError(`Value (${arn}) for parameter PermissionsBoundary is invalid.`);
  }
  return (await requireAttachablePolicy(call, arn)).arn;
}

/** A policy of the account, to change. Throws NoSuchEntity, or AccessDenied for one of AWS's. */
export async function requireOwnPolicy(call: Call, arn: string): Promise<Readonly<PolicyRecord>> {
  const { record } = await requireManagedPolicy(call, arn);
  // AWS?: the text for policies that belong to AWS.
  if (!record) throw accessDenied(call, arn, "because AWS managed policies cannot be changed");
  return record;
}

export function putManagedPolicy(record: PolicyRecord): Command {
  return managedPolicies.put(accountScope(record.accountId), nameKey(record.policyName), record);
}

export function requireVersion(
  policy: Pick<ManagedPolicy, "versions">,
  arn: string,
  versionId: string,
): PolicyVersionRecord {
  const found = policy.versions.find((version) => version.versionId === versionId);
  if (found) return found;
  throw noSuchEntity(`Policy ${arn} version ${versionId} does not exist or is not attachable.`);
}

/** A managed policy as the thing to authorise, by the ARN that the request names. */
export async function policyUse(
  call: Call,
  arn: string,
  context: ConditionContext = {},
): Promise<ResourceUse> {
  requirePolicyArn(arn);
  const found = await findManagedPolicy(call.records, call.accountId, arn);
  return {
    arn,
    accountId: call.accountId,
    ...(found && { tags: found.tags }),
    context: { ...tagContext(found?.tags ?? {}), ...context },
    type: "AWS::IAM::Policy",
  };
}

/** A policy as lists show it. */
export function listedPolicy(policy: ManagedPolicy, counts: UseCounts): Wire<Policy> {
  return {
    PolicyName: policy.policyName,
    PolicyId: policy.policyId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: counts.attached.get(policy.arn) ?? 0,
    PermissionsBoundaryUsageCount: counts.boundaries.get(policy.arn) ?? 0,
    IsAttachable: true,
    CreateDate: policy.createdMs,
    UpdateDate: policy.updatedMs,
  };
}

/** A policy as CreatePolicy and GetPolicy show it. */
export function shownPolicy(policy: ManagedPolicy, counts: UseCounts): Wire<Policy> {
  return {
    ...listedPolicy(policy, counts),
    ...(policy.description !== undefined && { Description: policy.description }),
    ...shownTags(policy.tags),
  };
}
