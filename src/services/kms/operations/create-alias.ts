import type { CreateAliasRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireNewAliasName, requireTargetKey, withAlias } from "../aliases.ts";
import { aliasUse, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { aliasArn, saveKey } from "../keys.ts";
import { refuse } from "../refusals.ts";
import { requireState } from "../states.ts";
import { aliases } from "../store.ts";

export function createAlias(
  dependencies: KmsDependencies,
): Operation<Wire<CreateAliasRequest>, object> {
  return {
    name: "CreateAlias",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["AliasName", "TargetKeyId"] },
    async resources(input, call) {
      requireNewAliasName(input.AliasName);
      const target = await requireTargetKey(dependencies, call, input.TargetKeyId);
      return [keyUse(target), aliasUse(call, aliasArn(call, input.AliasName))];
    },
    async handle(input, call) {
      const name = input.AliasName;
      const { key } = await requireTargetKey(dependencies, call, input.TargetKeyId);
      requireState(key, "change");
      if (await aliases.get(call.records, call, name)) {
        throw refuse(
          "AlreadyExistsException",
          `An alias with the name ${aliasArn(call, name)} already exists`,
        );
      }
      const change = saveKey(dependencies, key, withAlias(key, name));
      const times = { createdMs: call.now, updatedMs: call.now };
      const alias = aliases.put(call, name, { name, targetKeyId: key.keyId, ...times });
      return { ...change, output: {}, commands: [...change.commands, alias] };
    },
  };
}
