import type { GetInstanceProfileRequest, GetInstanceProfileResponse } from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { profileUse, requireProfile, shownProfile } from "../instance-profiles.ts";

export function getInstanceProfile(): Operation<
  Wire<GetInstanceProfileRequest>,
  Wire<GetInstanceProfileResponse>
> {
  return {
    name: "GetInstanceProfile",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["InstanceProfileName"] },
    resources: async (input, call) => [await profileUse(call, input.InstanceProfileName)],
    async handle(input, call) {
      const profile = await requireProfile(call, input.InstanceProfileName);
      return { output: { InstanceProfile: await shownProfile(call, profile) } };
    },
  };
}
