import type {
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { newEntityId } from "../identifiers.ts";
import {
  findProfile,
  profileArn,
  profileResourceType,
  putProfile,
  shownProfile,
} from "../instance-profiles.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists } from "../refusals.ts";
import { instanceProfiles } from "../store.ts";
import { creationUses, mergedTags, requestedTags } from "../tags.ts";

export function createInstanceProfile(
  dependencies: IamDependencies,
): Operation<Wire<CreateInstanceProfileRequest>, Wire<CreateInstanceProfileResponse>> {
  return {
    name: "CreateInstanceProfile",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["InstanceProfileName", "Path"],
      response: ({ InstanceProfile: profile }) => ({
        instanceProfile: {
          path: profile.Path,
          instanceProfileName: profile.InstanceProfileName,
          instanceProfileId: profile.InstanceProfileId,
          arn: profile.Arn,
        },
      }),
    },
    resources(input, { accountId }) {
      const { InstanceProfileName: profileName, Path: path = "/" } = input;
      const arn = profileArn({ accountId, path, profileName });
      const use = { arn, accountId, type: profileResourceType };
      return creationUses(use, "iam:TagInstanceProfile", input);
    },
    async handle(input, call) {
      const { InstanceProfileName: profileName } = input;
      if (await findProfile(call, profileName)) {
        throw alreadyExists(`Instance Profile ${profileName} already exists.`);
      }
      await requireEntityQuota(call, instanceProfiles, "InstanceProfilesPerAccount");
      const profile = {
        profileName,
        profileId: newEntityId("AIPA", dependencies.random),
        accountId: call.accountId,
        path: input.Path ?? "/",
        createdMs: call.now,
        tags: mergedTags({}, requestedTags(input.Tags ?? [])),
      };
      const shown = await shownProfile(call, profile);
      return { output: { InstanceProfile: shown }, commands: [putProfile(profile)] };
    },
  };
}
