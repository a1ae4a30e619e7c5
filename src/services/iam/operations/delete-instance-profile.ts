import type { DeleteInstanceProfileRequest } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { profileUse, requireProfile } from "../instance-profiles.ts";
import { deleteConflict } from "../refusals.ts";
import { accountScope, instanceProfiles, nameKey } from "../store.ts";

export function deleteInstanceProfile(): Operation<Wire<DeleteInstanceProfileRequest>, object> {
  return {
    name: "DeleteInstanceProfile",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["InstanceProfileName"] },
    resources: async (input, call) => [await profileUse(call, input.InstanceProfileName)],
    async handle(input, call) {
      const profile = await requireProfile(call, input.InstanceProfileName);
      if (profile.roleKey !== undefined) {
        throw deleteConflict(
          "Cannot delete entity, must remove roles from instance profile first.",
        );
      }
      const scope = accountScope(call.accountId);
      const gone = instanceProfiles.remove(scope, nameKey(profile.profileName));
      return { output: {}, commands: [gone] };
    },
  };
}
