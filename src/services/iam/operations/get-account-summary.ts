import type { GetAccountSummaryResponse } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { entitiesOf } from "../attachments.ts";
import { quotas } from "../quotas.ts";
import {
  accountScope,
  accounts,
  installation,
  instanceProfiles,
  managedPolicies,
  oidcProviders,
} from "../store.ts";

/** AWS: counts and quotas by name. Things that this server does not have are 0. */
export function getAccountSummary(): Operation<object, Wire<GetAccountSummaryResponse>> {
  return {
    name: "GetAccountSummary",
    access: "list",
    audit: { category: "management", readOnly: true },
    resources: (_input, { accountId }) => [{ arn: "*", accountId }],
    async handle(_input, call) {
      return { output: { SummaryMap: { ...(await counts(call)), ...limits } } };
    },
  };
}

const limits = {
  AccessKeysPerUserQuota: 2,
  AttachedPoliciesPerGroupQuota: 10,
  AttachedPoliciesPerRoleQuota: 10,
  AttachedPoliciesPerUserQuota: 10,
  AssumeRolePolicySizeQuota: 2048,
  GroupPolicySizeQuota: 5120,
  GroupsPerUserQuota: 10,
  GroupsQuota: quotas.GroupsPerAccount,
  InstanceProfilesQuota: quotas.InstanceProfilesPerAccount,
  PoliciesQuota: quotas.CustomerManagedPoliciesPerAccount,
  PolicySizeQuota: 6144,
  RolePolicySizeQuota: 10_240,
  RolesQuota: quotas.RolesPerAccount,
  UserPolicySizeQuota: 2048,
  UsersQuota: quotas.UsersPerAccount,
  VersionsPerPolicyQuota: 5,
} as const;

async function counts(call: Call): Promise<Readonly<Record<string, number>>> {
  const scope = accountScope(call.accountId);
  const { users, groups, roles } = await entitiesOf(call.records, call.accountId);
  const [policies, profiles, providers, account] = await Promise.all([
    managedPolicies.list(call.records, scope),
    instanceProfiles.list(call.records, scope),
    oidcProviders.list(call.records, scope),
    accounts.get(call.records, installation, call.accountId),
  ]);
  const versions = policies.reduce((sum, { value }) => sum + value.versions.length, 0);
  return {
    AccountAccessKeysPresent: (account?.rootAccessKeyIds.length ?? 0) > 0 ? 1 : 0,
    AccountMFAEnabled: 0,
    AccountSigningCertificatesPresent: 0,
    Groups: groups.length,
    InstanceProfiles: profiles.length,
    MFADevices: 0,
    MFADevicesInUse: 0,
    Policies: policies.length,
    PolicyVersionsInUse: versions,
    Providers: providers.length,
    Roles: roles.length,
    ServerCertificates: 0,
    Users: users.length,
  };
}
