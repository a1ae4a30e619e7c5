import type { DeleteAliasRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireAlias, withoutAlias } from "../aliases.ts";
import { aliasUse, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { foundKey } from "../found.ts";
import { aliasArn, saveKey } from "../keys.ts";
import { aliases } from "../store.ts";

export function deleteAlias(
  dependencies: KmsDependencies,
): Operation<Wire<DeleteAliasRequest>, object> {
  return {
    name: "DeleteAlias",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["AliasName"] },
    async resources(input, call) {
      const { target: key } = await requireAlias(call, input.AliasName);
      return [aliasUse(call, aliasArn(call, input.AliasName)), keyUse(await foundKey(call, key))];
    },
    async handle(input, call) {
      const name = input.AliasName;
      const { target: key } = await requireAlias(call, name);
      const change = saveKey(dependencies, key, withoutAlias(key, name));
      const commands = [aliases.remove(call, name), ...change.commands];
      return { ...change, output: {}, commands };
    },
  };
}
