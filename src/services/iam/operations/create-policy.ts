import type { CreatePolicyRequest, CreatePolicyResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { noCounts } from "../attachments.ts";
import { auditedPolicy } from "../audited.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newEntityId } from "../identifiers.ts";
import { ofCustomer, policyArn, putManagedPolicy, shownPolicy } from "../managed-policies.ts";
import { requireManagedDocument } from "../policies.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists } from "../refusals.ts";
import { accountScope, managedPolicies, nameKey, type PolicyRecord } from "../store.ts";
import { auditedTags, creationUses, mergedTags, requestedTags } from "../tags.ts";

type Input = Wire<CreatePolicyRequest>;

export function createPolicy(
  dependencies: IamDependencies,
): Operation<Input, Wire<CreatePolicyResponse>> {
  return {
    name: "CreatePolicy",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      request: (input) => ({
        policyName: input.PolicyName,
        policyDocument: input.PolicyDocument,
        ...(input.Path !== undefined && { path: input.Path }),
        ...(input.Description !== undefined && { description: input.Description }),
        ...auditedTags(input.Tags),
      }),
      response: (output) => ({ policy: auditedPolicy(output.Policy) }),
    },
    resources(input, { accountId }) {
      const { PolicyName: policyName, Path: path = "/" } = input;
      const arn = policyArn({ accountId, path, policyName });
      return creationUses({ arn, accountId, type: "AWS::IAM::Policy" }, "iam:TagPolicy", input);
    },
    async handle(input, call) {
      const { PolicyName: policyName, PolicyDocument: text } = input;
      const scope = accountScope(call.accountId);
      if (await managedPolicies.get(call.records, scope, nameKey(policyName))) {
        throw alreadyExists(
          `A policy called ${policyName} already exists. Duplicate names are not allowed.`,
        );
      }
      requireManagedDocument(text);
      await requireEntityQuota(call, managedPolicies, "CustomerManagedPoliciesPerAccount");
      const record: PolicyRecord = {
        policyName,
        policyId: newEntityId("ANPA", dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        description: input.Description,
        createdMs: call.now,
        updatedMs: call.now,
        tags: mergedTags({}, requestedTags(input.Tags ?? [])),
        defaultVersionId: "v1",
        nextVersion: 2,
        versions: [{ versionId: "v1", createdMs: call.now, policy: { text, principalIds: {} } }],
      };
      const shown = shownPolicy(ofCustomer(record), noCounts);
      return { output: { Policy: shown }, commands: [putManagedPolicy(record)] };
    },
  };
}
