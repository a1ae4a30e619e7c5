import type { Policy, PolicyVersion } from "@aws-sdk/client-iam";
import type { Json } from "../../kernel/json.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { auditDate } from "./users.ts";

/** A policy in the answer of an audit record. */
export function auditedPolicy(policy: Wire<Policy> | undefined): Json {
  if (!policy) return null;
  return {
    policyName: policy.PolicyName ?? null,
    policyId: policy.PolicyId ?? null,
    arn: policy.Arn ?? null,
    path: policy.Path ?? null,
    defaultVersionId: policy.DefaultVersionId ?? null,
    createDate: policy.CreateDate === undefined ? null : auditDate(policy.CreateDate),
  };
}

export function auditedVersion(version: Wire<PolicyVersion> | undefined): Json {
  if (!version) return null;
  return {
    versionId: version.VersionId ?? null,
    isDefaultVersion: version.IsDefaultVersion ?? null,
    createDate: version.CreateDate === undefined ? null : auditDate(version.CreateDate),
  };
}
