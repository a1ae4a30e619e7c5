import type { ResourceUse } from "../../kernel/operation.ts";
import { profileUse, putProfile, requireProfile } from "./instance-profiles.ts";
import { policyUse, putManagedPolicy, requireOwnPolicy } from "./managed-policies.ts";
import { providerUse, putProvider, requireProvider } from "./oidc-providers.ts";
import type { TaggedForm } from "./operations/tagging.ts";
import { putRole, requireOwnRole, roleUse } from "./roles.ts";
import { putUser, requireUser, userUse } from "./users.ts";

function policyTagUse(
  ...[call, arn, options]: Parameters<TaggedForm["use"]>
): Promise<ResourceUse> {
  return policyUse(call, arn, options.context);
}

/** Everything of IAM that has tags. */
export const taggedForms: readonly TaggedForm[] = [
  {
    label: "User",
    member: "UserName",
    use: userUse,
    async find(call, name) {
      const user = await requireUser(call, name);
      return { tags: user.tags, put: (tags) => putUser({ ...user, tags }) };
    },
  },
  {
    label: "Role",
    member: "RoleName",
    use: roleUse,
    async find(call, name) {
      const role = await requireOwnRole(call, name);
      return { tags: role.tags, put: (tags) => putRole({ ...role, tags }) };
    },
  },
  {
    label: "Policy",
    member: "PolicyArn",
    use: policyTagUse,
    async find(call, arn) {
      const record = await requireOwnPolicy(call, arn);
      return { tags: record.tags, put: (tags) => putManagedPolicy({ ...record, tags }) };
    },
  },
  {
    label: "InstanceProfile",
    member: "InstanceProfileName",
    use: profileUse,
    async find(call, name) {
      const profile = await requireProfile(call, name);
      return { tags: profile.tags, put: (tags) => putProfile({ ...profile, tags }) };
    },
  },
  {
    label: "OpenIDConnectProvider",
    member: "OpenIDConnectProviderArn",
    use: providerUse,
    async find(call, arn) {
      const provider = await requireProvider(call, arn);
      return { tags: provider.tags, put: (tags) => putProvider({ ...provider, tags }) };
    },
  },
];
