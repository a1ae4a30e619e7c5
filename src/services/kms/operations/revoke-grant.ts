import type { RevokeGrantRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { removeGrant, requireGrant, withGrantCount } from "../grant-records.ts";
import { saveKey } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { stopAtDryRun } from "../refusals.ts";

export function revokeGrant(
  dependencies: KmsDependencies,
): Operation<Wire<RevokeGrantRequest>, object> {
  return {
    name: "RevokeGrant",
    access: "permissions",
    audit: { category: "management", readOnly: false, request: ["KeyId", "GrantId"] },
    async resources(input, call) {
      const forService = call.via !== undefined || call.caller.kind === "service";
      const conditions = { "kms:grantisforawsresource": forService };
      return [keyUse(await locateKey(dependencies, call, input.KeyId, "key"), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireKey(dependencies, call, input.KeyId, "key");
      const grant = await requireGrant(call, key, input.GrantId);
      stopAtDryRun(input.DryRun);
      const change = saveKey(dependencies, key, withGrantCount(key, -1));
      return { ...change, output: {}, commands: [...change.commands, ...removeGrant(key, grant)] };
    },
  };
}
