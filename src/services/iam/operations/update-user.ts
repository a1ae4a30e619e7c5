import type { UpdateUserRequest } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Command } from "../../../kernel/command.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { putAccessKey } from "../access-keys.ts";
import { alreadyExists } from "../refusals.ts";
import {
  accessKeys,
  accountScope,
  installation,
  type UserRecord,
  userKeyOf,
  users,
} from "../store.ts";
import { findUser, putUser, requireUser, userArn, userUse } from "../users.ts";

type Input = Wire<UpdateUserRequest>;

export function updateUser(): Operation<Input, object> {
  return {
    name: "UpdateUser",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["UserName", "NewUserName", "NewPath"],
    },
    async resources(input, call) {
      const present = await userUse(call, input.UserName);
      const user = await findUser(call, input.UserName);
      // AWS: the permission is needed on the old and on the new name.
      return user ? [present, { ...present, arn: userArn(renamed(user, input)) }] : [present];
    },
    async handle(input, call) {
      const before = await requireUser(call, input.UserName);
      const after = renamed(before, input);
      const [oldKey, newKey] = [userKeyOf(before.userName), userKeyOf(after.userName)];
      if (oldKey === newKey) return { output: {}, commands: [putUser(after)] };
      if (await findUser(call, after.userName)) {
        throw alreadyExists(`User with name ${after.userName} already exists.`);
      }
      const scope = accountScope(call.accountId);
      const commands = [users.remove(scope, oldKey), putUser(after)];
      return { output: {}, commands: [...commands, ...(await movedKeys(call, after))] };
    },
  };
}

function renamed(user: Readonly<UserRecord>, input: Input): UserRecord {
  const userName = input.NewUserName ?? user.userName;
  return { ...user, userName, path: input.NewPath ?? user.path };
}

/** Access keys find their user by name, so they follow it. */
async function movedKeys(call: Call, user: UserRecord): Promise<readonly Command[]> {
  const commands: Command[] = [];
  for (const accessKeyId of user.accessKeyIds) {
    const key = await accessKeys.get(call.records, installation, accessKeyId);
    if (!key) continue;
    const { userId } = user;
    const owner = { kind: "user", userKey: userKeyOf(user.userName), userId } as const;
    commands.push(putAccessKey({ ...key, owner }));
  }
  return commands;
}
