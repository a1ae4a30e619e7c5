import type {
  CreateAccountAliasRequest,
  DeleteAccountAliasRequest,
  ListAccountAliasesRequest,
  ListAccountAliasesResponse,
} from "@aws-sdk/client-iam";
import type { Call } from "../../../kernel/call.ts";
import { assert } from "../../../kernel/errors.ts";
import type { Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { alreadyExists, noSuchEntity } from "../refusals.ts";
import { type AccountRecord, accountAliases, accounts, installation } from "../store.ts";

/** AWS: account aliases are no resources; the permission is on `*`. */
function anything({ accountId }: Call): readonly ResourceUse[] {
  return [{ arn: "*", accountId }];
}

async function ownAccount(call: Call): Promise<Readonly<AccountRecord>> {
  const account = await accounts.get(call.records, installation, call.accountId);
  assert(account !== undefined, "a caller's account exists");
  return account;
}

/** AWS: an account has at most one alias; a new one takes the place of the old one. */
export function createAccountAlias(): Operation<Wire<CreateAccountAliasRequest>, object> {
  return {
    name: "CreateAccountAlias",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["AccountAlias"] },
    resources: (_input, call) => anything(call),
    async handle(input, call) {
      const alias = input.AccountAlias;
      if (await accountAliases.get(call.records, installation, alias)) {
        throw alreadyExists(`The account alias ${alias} already exists.`);
      }
      const account = await ownAccount(call);
      const { accountId } = account;
      const before =
        account.alias === undefined ? [] : [accountAliases.remove(installation, account.alias)];
      return {
        output: {},
        commands: [
          ...before,
          accountAliases.put(installation, alias, { accountId }),
          accounts.put(installation, accountId, { ...account, alias }),
        ],
      };
    },
  };
}

export function deleteAccountAlias(): Operation<Wire<DeleteAccountAliasRequest>, object> {
  return {
    name: "DeleteAccountAlias",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["AccountAlias"] },
    resources: (_input, call) => anything(call),
    async handle(input, call) {
      const { alias, ...account } = await ownAccount(call);
      if (alias !== input.AccountAlias) {
        throw noSuchEntity(`The account alias ${input.AccountAlias} cannot be found.`);
      }
      return {
        output: {},
        commands: [
          accountAliases.remove(installation, alias),
          accounts.put(installation, account.accountId, account),
        ],
      };
    },
  };
}

export function listAccountAliases(): Operation<
  Wire<ListAccountAliasesRequest>,
  Wire<ListAccountAliasesResponse>
> {
  return {
    name: "ListAccountAliases",
    access: "list",
    audit: { category: "management", readOnly: true, request: ["MaxItems", "Marker"] },
    resources: (_input, call) => anything(call),
    async handle(_input, call) {
      const { alias } = await ownAccount(call);
      return {
        output: { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false },
      };
    },
  };
}
