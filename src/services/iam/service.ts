import { type AnyOperation, operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { IamDependencies } from "./dependencies.ts";
import { holderForms, roleForm, userForm } from "./holders.ts";
import {
  createAccountAlias,
  deleteAccountAlias,
  listAccountAliases,
} from "./operations/account-aliases.ts";
import { addUserToGroup } from "./operations/add-user-to-group.ts";
import { attachPolicy } from "./operations/attach-policy.ts";
import { createAccessKey } from "./operations/create-access-key.ts";
import { createGroup } from "./operations/create-group.ts";
import { createInstanceProfile } from "./operations/create-instance-profile.ts";
import { createOpenIdConnectProvider } from "./operations/create-open-id-connect-provider.ts";
import { createPolicy } from "./operations/create-policy.ts";
import { createPolicyVersion } from "./operations/create-policy-version.ts";
import { createRole } from "./operations/create-role.ts";
import { createServiceLinkedRole } from "./operations/create-service-linked-role.ts";
import { createUser } from "./operations/create-user.ts";
import { deleteAccessKey } from "./operations/delete-access-key.ts";
import { deleteGroup } from "./operations/delete-group.ts";
import { deleteInlinePolicy } from "./operations/delete-inline-policy.ts";
import { deleteInstanceProfile } from "./operations/delete-instance-profile.ts";
import { deletePermissionsBoundary } from "./operations/delete-permissions-boundary.ts";
import { deletePolicy } from "./operations/delete-policy.ts";
import { deletePolicyVersion } from "./operations/delete-policy-version.ts";
import { deleteRole } from "./operations/delete-role.ts";
import {
  deleteServiceLinkedRole,
  getServiceLinkedRoleDeletionStatus,
} from "./operations/delete-service-linked-role.ts";
import { deleteUser } from "./operations/delete-user.ts";
import { detachPolicy } from "./operations/detach-policy.ts";
import { getAccessKeyLastUsed } from "./operations/get-access-key-last-used.ts";
import { getAccountAuthorizationDetails } from "./operations/get-account-authorization-details.ts";
import { getAccountSummary } from "./operations/get-account-summary.ts";
import {
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
} from "./operations/get-context-keys.ts";
import { getGroup } from "./operations/get-group.ts";
import { getInlinePolicy } from "./operations/get-inline-policy.ts";
import { getInstanceProfile } from "./operations/get-instance-profile.ts";
import { getPolicy } from "./operations/get-policy.ts";
import { getPolicyVersion } from "./operations/get-policy-version.ts";
import { getRole } from "./operations/get-role.ts";
import { getUser } from "./operations/get-user.ts";
import { listAccessKeys } from "./operations/list-access-keys.ts";
import { listAttachedPolicies } from "./operations/list-attached-policies.ts";
import { listEntitiesForPolicy } from "./operations/list-entities-for-policy.ts";
import { listGroups } from "./operations/list-groups.ts";
import { listGroupsForUser } from "./operations/list-groups-for-user.ts";
import { listInlinePolicies } from "./operations/list-inline-policies.ts";
import {
  listInstanceProfiles,
  listInstanceProfilesForRole,
} from "./operations/list-instance-profiles.ts";
import { listPolicies } from "./operations/list-policies.ts";
import { listPolicyVersions } from "./operations/list-policy-versions.ts";
import { listRoles } from "./operations/list-roles.ts";
import { listUsers } from "./operations/list-users.ts";
import {
  addClientIdToOpenIdConnectProvider,
  deleteOpenIdConnectProvider,
  getOpenIdConnectProvider,
  listOpenIdConnectProviders,
  removeClientIdFromOpenIdConnectProvider,
  updateOpenIdConnectProviderThumbprint,
} from "./operations/open-id-connect-providers.ts";
import { putInlinePolicy } from "./operations/put-inline-policy.ts";
import { putPermissionsBoundary } from "./operations/put-permissions-boundary.ts";
import { removeUserFromGroup } from "./operations/remove-user-from-group.ts";
import {
  addRoleToInstanceProfile,
  removeRoleFromInstanceProfile,
} from "./operations/role-in-instance-profile.ts";
import { setDefaultPolicyVersion } from "./operations/set-default-policy-version.ts";
import { simulateCustomPolicy } from "./operations/simulate-custom-policy.ts";
import { simulatePrincipalPolicy } from "./operations/simulate-principal-policy.ts";
import { tagOperations } from "./operations/tagging.ts";
import { updateAccessKey } from "./operations/update-access-key.ts";
import { updateAssumeRolePolicy } from "./operations/update-assume-role-policy.ts";
import { updateGroup } from "./operations/update-group.ts";
import { updateRole, updateRoleDescription } from "./operations/update-role.ts";
import { updateUser } from "./operations/update-user.ts";
import { taggedForms } from "./tagged.ts";

/** Identity and access management: who there is, and what policies say about them. */
export function createIam(dependencies: IamDependencies): ServiceTable {
  return {
    name: "iam",
    eventSource: "iam.amazonaws.com",
    operations: operationTable([
      ...userOperations(dependencies),
      ...groupOperations(dependencies),
      ...roleOperations(dependencies),
      ...policyOperations(dependencies),
      ...accountOperations(dependencies),
    ]),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}

function userOperations(dependencies: IamDependencies): readonly AnyOperation[] {
  return [
    createUser(dependencies),
    getUser(),
    listUsers(),
    updateUser(),
    deleteUser(),
    createAccessKey(dependencies),
    listAccessKeys(),
    updateAccessKey(),
    deleteAccessKey(),
    getAccessKeyLastUsed(dependencies),
  ];
}

function groupOperations(dependencies: IamDependencies): readonly AnyOperation[] {
  return [
    createGroup(dependencies),
    getGroup(),
    listGroups(),
    updateGroup(),
    deleteGroup(),
    addUserToGroup(),
    removeUserFromGroup(),
    listGroupsForUser(),
  ];
}

function roleOperations(dependencies: IamDependencies): readonly AnyOperation[] {
  return [
    createRole(dependencies),
    getRole(dependencies),
    listRoles(),
    updateRole(),
    updateRoleDescription(),
    updateAssumeRolePolicy(),
    deleteRole(),
    createServiceLinkedRole(dependencies),
    deleteServiceLinkedRole(dependencies),
    getServiceLinkedRoleDeletionStatus(),
    createInstanceProfile(dependencies),
    getInstanceProfile(),
    listInstanceProfiles(),
    listInstanceProfilesForRole(),
    deleteInstanceProfile(),
    addRoleToInstanceProfile(),
    removeRoleFromInstanceProfile(),
  ];
}

function policyOperations(dependencies: IamDependencies): readonly AnyOperation[] {
  return [
    createPolicy(dependencies),
    getPolicy(),
    listPolicies(),
    deletePolicy(),
    createPolicyVersion(),
    getPolicyVersion(),
    listPolicyVersions(),
    deletePolicyVersion(),
    setDefaultPolicyVersion(),
    listEntitiesForPolicy(),
    ...holderForms.flatMap((form) => [
      putInlinePolicy(form),
      getInlinePolicy(form),
      listInlinePolicies(form),
      deleteInlinePolicy(form),
      attachPolicy(form),
      detachPolicy(form),
      listAttachedPolicies(form),
    ]),
    ...[userForm, roleForm].flatMap((form) => [
      putPermissionsBoundary(form),
      deletePermissionsBoundary(form),
    ]),
  ];
}

function accountOperations(dependencies: IamDependencies): readonly AnyOperation[] {
  return [
    ...taggedForms.flatMap(tagOperations),
    createOpenIdConnectProvider(),
    getOpenIdConnectProvider(),
    listOpenIdConnectProviders(),
    deleteOpenIdConnectProvider(),
    addClientIdToOpenIdConnectProvider(),
    removeClientIdFromOpenIdConnectProvider(),
    updateOpenIdConnectProviderThumbprint(),
    createAccountAlias(),
    deleteAccountAlias(),
    listAccountAliases(),
    simulatePrincipalPolicy(),
    simulateCustomPolicy(),
    getContextKeysForPrincipalPolicy(),
    getContextKeysForCustomPolicy(),
    getAccountSummary(),
    getAccountAuthorizationDetails(dependencies),
  ];
}
