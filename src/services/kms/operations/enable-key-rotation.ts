import type { EnableKeyRotationRequest } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { dayMs, saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireRotatable } from "../rotation.ts";
import { requireState } from "../states.ts";

/** AWS: the period where the request names none. */
const defaultPeriodDays = 365;

export function enableKeyRotation(
  dependencies: KmsDependencies,
): Operation<Wire<EnableKeyRotationRequest>, object> {
  return {
    name: "EnableKeyRotation",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["KeyId", "RotationPeriodInDays"],
    },
    async resources(input, call) {
      const days = input.RotationPeriodInDays ?? defaultPeriodDays;
      const conditions = { "kms:rotationperiodindays": days };
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireOwnKey(dependencies, call, input.KeyId);
      requireRotatable(key);
      requireState(key, "rotationSetting");
      const periodDays = input.RotationPeriodInDays ?? defaultPeriodDays;
      if (key.rotation?.periodDays === periodDays) return { output: {} };
      // AWS?: a changed period counts from now.
      const rotation = { periodDays, nextMs: call.now + periodDays * dayMs };
      return { output: {}, ...saveKey(dependencies, key, { ...key, rotation }) };
    },
  };
}
