import type { GetUserRequest, GetUserResponse, User } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyHolderUse, requireKeyHolder } from "../access-keys.ts";
import { rootArn, shownUser } from "../users.ts";

export function getUser(): Operation<Wire<GetUserRequest>, Wire<GetUserResponse>> {
  return {
    name: "GetUser",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["UserName"] },
    resources: async (input, call) => [await keyHolderUse(call, input.UserName)],
    async handle(input, call) {
      return { output: { User: await shown(call, input.UserName) } };
    },
  };
}

async function shown(call: Call, userName: string | undefined): Promise<Wire<User>> {
  const holder = await requireKeyHolder(call, userName);
  if (holder.kind === "user") return shownUser(holder.user);
  const { accountId, name, createdMs } = holder.account;
  const Arn = rootArn(accountId);
  // AWS: root is shown with the account id as its user id; the name is that of the account.
  return { Path: "/", UserName: name, UserId: accountId, Arn, CreateDate: createdMs };
}
