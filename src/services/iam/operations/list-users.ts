import type { ListUsersRequest, ListUsersResponse } from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { RecordEntry } from "../../../kernel/records.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { type PageRequest, pageOf, pageRequest } from "../paging.ts";
import { type UserRecord, users } from "../store.ts";
import { listedUser, userArn } from "../users.ts";

const chunk = 1000;

export function listUsers(): Operation<Wire<ListUsersRequest>, Wire<ListUsersResponse>> {
  return {
    name: "ListUsers",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["PathPrefix", "MaxItems", "Marker"],
    },
    resources(input, call) {
      const { accountId } = call;
      const path = input.PathPrefix ?? "/";
      return [{ arn: userArn({ accountId, path, userName: "" }), accountId }];
    },
    async handle(input, call) {
      const request = pageRequest("ListUsers", input);
      const rest = await usersUnder(call, request, input.PathPrefix ?? "/");
      const page = pageOf("ListUsers", request, rest, (entry) => entry.id);
      return { output: { Users: page.entries.map((e) => listedUser(e.value)), ...page.output } };
    },
  };
}

/** Users of a path in order of name, one more than the page holds. */
async function usersUnder(
  call: Call,
  request: PageRequest,
  pathPrefix: string,
): Promise<readonly RecordEntry<UserRecord>[]> {
  const found: RecordEntry<UserRecord>[] = [];
  let afterId = request.afterId;
  for (;;) {
    const limit = pathPrefix === "/" ? request.limit + 1 : chunk;
    const entries = await users.list(call.records, call, { afterId, limit });
    found.push(...entries.filter(({ value }) => value.path.startsWith(pathPrefix)));
    const last = entries.at(-1);
    if (found.length > request.limit || entries.length < limit || last === undefined) {
      return found.slice(0, request.limit + 1);
    }
    afterId = last.id;
  }
}
