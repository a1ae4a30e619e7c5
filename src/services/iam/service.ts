import { operationTable, type ServiceTable } from "../../kernel/operation.ts";
import type { IamDependencies } from "./dependencies.ts";
import { createAccessKey } from "./operations/create-access-key.ts";
import { createUser } from "./operations/create-user.ts";
import { deleteAccessKey } from "./operations/delete-access-key.ts";
import { deleteUser } from "./operations/delete-user.ts";
import { deleteUserPolicy } from "./operations/delete-user-policy.ts";
import { getAccessKeyLastUsed } from "./operations/get-access-key-last-used.ts";
import { getUser } from "./operations/get-user.ts";
import { getUserPolicy } from "./operations/get-user-policy.ts";
import { listAccessKeys } from "./operations/list-access-keys.ts";
import { listUserPolicies } from "./operations/list-user-policies.ts";
import { listUserTags } from "./operations/list-user-tags.ts";
import { listUsers } from "./operations/list-users.ts";
import { putUserPolicy } from "./operations/put-user-policy.ts";
import { tagUser } from "./operations/tag-user.ts";
import { untagUser } from "./operations/untag-user.ts";
import { updateAccessKey } from "./operations/update-access-key.ts";
import { updateUser } from "./operations/update-user.ts";

/** Identity and access management: users, their access keys and inline policies. */
export function createIam(dependencies: IamDependencies): ServiceTable {
  const operations = [
    createUser(dependencies),
    getUser(),
    listUsers(),
    updateUser(),
    deleteUser(),
    tagUser(),
    untagUser(),
    listUserTags(),
    createAccessKey(dependencies),
    listAccessKeys(),
    updateAccessKey(),
    deleteAccessKey(),
    getAccessKeyLastUsed(dependencies),
    putUserPolicy(),
    getUserPolicy(),
    listUserPolicies(),
    deleteUserPolicy(),
  ];
  return {
    name: "iam",
    eventSource: "iam.amazonaws.com",
    operations: operationTable(operations),
    accessDenied: { code: "AccessDenied", status: 403, printAction: (action) => action },
  };
}
