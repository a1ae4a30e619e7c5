import type { Call } from "../../kernel/call.ts";
import type { RecordKind } from "../../kernel/records.ts";
import { limitExceeded } from "./refusals.ts";
import { accountScope } from "./store.ts";

/** AWS: the default quotas of an account; GetAccountSummary shows them. */
export const quotas = {
  UsersPerAccount: 5000,
  GroupsPerAccount: 300,
  RolesPerAccount: 1000,
  CustomerManagedPoliciesPerAccount: 1500,
  InstanceProfilesPerAccount: 1000,
  OpenIdConnectProvidersPerAccount: 100,
} as const;

/** Throws LimitExceeded if the account holds as many of a kind as it may. */
export async function requireEntityQuota<T extends object>(
  call: Call,
  kind: RecordKind<T>,
  quota: keyof typeof quotas,
): Promise<void> {
  const max = quotas[quota];
  const held = await kind.count(call.records, accountScope(call.accountId));
  if (held >= max) throw limitExceeded(`Cannot exceed quota for ${quota}: ${max}`);
}
