import type {
  GetAccessKeyLastUsedRequest,
  GetAccessKeyLastUsedResponse,
} from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { IamDependencies } from "../dependencies.ts";
import { noSuchAccessKey } from "../refusals.ts";
import {
  type AccessKeyRecord,
  accessKeys,
  accountScope,
  installation,
  type UserRecord,
  users,
} from "../store.ts";
import { rootUse, userArn, userResourceType } from "../users.ts";

export function getAccessKeyLastUsed(
  dependencies: IamDependencies,
): Operation<Wire<GetAccessKeyLastUsedRequest>, Wire<GetAccessKeyLastUsedResponse>> {
  return {
    name: "GetAccessKeyLastUsed",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["AccessKeyId"] },
    async resources(input, call) {
      const key = await ownKey(call, input.AccessKeyId);
      const user = key && (await ownerOfKey(call, key));
      if (!user) return [rootUse(call)];
      const { accountId, tags } = user;
      return [{ arn: userArn(user), accountId, tags, type: userResourceType }];
    },
    async handle(input, call) {
      const key = await ownKey(call, input.AccessKeyId);
      if (!key) throw noSuchAccessKey(input.AccessKeyId);
      const user = await ownerOfKey(call, key);
      const use = await dependencies.accessKeyUsage.lastUsed(call.records, key.accessKeyId);
      return {
        output: {
          ...(user && { UserName: user.userName }),
          AccessKeyLastUsed: {
            ...(use && { LastUsedDate: use.atMs }),
            ServiceName: use?.service ?? "N/A",
            Region: use?.region ?? "N/A",
          },
        },
      };
    },
  };
}

async function ownKey(
  call: Call,
  accessKeyId: string,
): Promise<Readonly<AccessKeyRecord> | undefined> {
  const key = await accessKeys.get(call.records, installation, accessKeyId);
  return key?.accountId === call.accountId ? key : undefined;
}

async function ownerOfKey(
  call: Call,
  key: Readonly<AccessKeyRecord>,
): Promise<Readonly<UserRecord> | undefined> {
  if (key.owner.kind !== "user") return undefined;
  return users.get(call.records, accountScope(key.accountId), key.owner.userKey);
}
