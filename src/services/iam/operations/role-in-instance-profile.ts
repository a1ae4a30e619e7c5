import type {
  AddRoleToInstanceProfileRequest,
  RemoveRoleFromInstanceProfileRequest,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { profileUse, putProfile, requireProfile } from "../instance-profiles.ts";
import { limitExceeded, noSuchEntity } from "../refusals.ts";
import { requireOwnRole, requireRole, roleUse } from "../roles.ts";
import { nameKey } from "../store.ts";

export function addRoleToInstanceProfile(): Operation<
  Wire<AddRoleToInstanceProfileRequest>,
  object
> {
  return {
    name: "AddRoleToInstanceProfile",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["InstanceProfileName", "RoleName"],
    },
    // AWS: whoever gives a role away needs iam:PassRole on it.
    resources: async (input, call) => [
      await profileUse(call, input.InstanceProfileName),
      await roleUse(call, input.RoleName, { action: "iam:PassRole" }),
    ],
    async handle(input, call) {
      const profile = await requireProfile(call, input.InstanceProfileName);
      const role = await requireOwnRole(call, input.RoleName);
      if (profile.roleKey !== undefined) {
        throw limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
      }
      const roleKey = nameKey(role.roleName);
      return { output: {}, commands: [putProfile({ ...profile, roleKey })] };
    },
  };
}

export function removeRoleFromInstanceProfile(): Operation<
  Wire<RemoveRoleFromInstanceProfileRequest>,
  object
> {
  return {
    name: "RemoveRoleFromInstanceProfile",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["InstanceProfileName", "RoleName"],
    },
    resources: async (input, call) => [await profileUse(call, input.InstanceProfileName)],
    async handle(input, call) {
      const { roleKey, ...profile } = await requireProfile(call, input.InstanceProfileName);
      const role = await requireRole(call, input.RoleName);
      if (roleKey !== nameKey(role.roleName)) {
        // AWS?: the text.
        throw noSuchEntity(
          `Role ${role.roleName} in Instance Profile ${profile.profileName} cannot be found.`,
        );
      }
      return { output: {}, commands: [putProfile(profile)] };
    },
  };
}
