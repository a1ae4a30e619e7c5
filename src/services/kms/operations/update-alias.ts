import type { UpdateAliasRequest } from "@aws-sdk/client-kms";
import type { Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { requireAlias, requireTargetKey, withAlias, withoutAlias } from "../aliases.ts";
import { aliasUse, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { foundKey } from "../found.ts";
import { keyType } from "../key-specs.ts";
import { aliasArn, joinChanges, keyArn, saveKey } from "../keys.ts";
import { validation } from "../refusals.ts";
import { requireState } from "../states.ts";
import { aliases, type KeyRecord } from "../store.ts";

export function updateAlias(
  dependencies: KmsDependencies,
): Operation<Wire<UpdateAliasRequest>, object> {
  return {
    name: "UpdateAlias",
    access: "write",
    audit: { category: "management", readOnly: false, request: ["AliasName", "TargetKeyId"] },
    async resources(input, call) {
      const { target: present } = await requireAlias(call, input.AliasName);
      const next = await requireTargetKey(dependencies, call, input.TargetKeyId);
      const uses: ResourceUse[] = [aliasUse(call, aliasArn(call, input.AliasName)), keyUse(next)];
      if (present.keyId === next.key.keyId) return uses;
      // AWS: the record names the alias and its new key only.
      const { type: _, ...presentUse } = keyUse(await foundKey(call, present));
      return [...uses, presentUse];
    },
    async handle(input, call) {
      const name = input.AliasName;
      const { alias, target: present } = await requireAlias(call, name);
      const { key: next } = await requireTargetKey(dependencies, call, input.TargetKeyId);
      requireState(next, "change");
      requireSameKind(present, next);
      const updated = { ...alias, targetKeyId: next.keyId, updatedMs: call.now };
      const put = aliases.put(call, name, updated);
      if (present.keyId === next.keyId) return { output: {}, commands: [put] };
      const change = joinChanges([
        saveKey(dependencies, present, withoutAlias(present, name)),
        saveKey(dependencies, next, withAlias(next, name)),
      ]);
      return { ...change, output: {}, commands: [put, ...change.commands] };
    },
  };
}

/** AWS: an alias moves between keys of one type and usage only. AWS?: text. */
function requireSameKind(present: Readonly<KeyRecord>, next: Readonly<KeyRecord>): void {
  const sameType = keyType(present.keySpec) === keyType(next.keySpec);
  if (sameType && present.keyUsage === next.keyUsage) return;
  throw validation(
    `Alias cannot be moved to ${keyArn(next)}: the keys differ in key type or key usage.`,
  );
}
