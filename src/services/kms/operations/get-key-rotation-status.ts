import type {
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { locateKey, requireKey } from "../locate.ts";
import { primaryOf } from "../multi-region.ts";
import { requireRotatable, wrongOrigin } from "../rotation.ts";

export function getKeyRotationStatus(
  dependencies: KmsDependencies,
): Operation<Wire<GetKeyRotationStatusRequest>, Wire<GetKeyRotationStatusResponse>> {
  return {
    name: "GetKeyRotationStatus",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await locateKey(dependencies, call, input.KeyId, "key"))];
    },
    async handle(input, call) {
      const { key } = await requireKey(dependencies, call, input.KeyId, "key");
      if (key.keySpec !== "SYMMETRIC_DEFAULT") requireRotatable(key);
      // AWS: a key with imported material has no schedule, and answers once it has material.
      if (key.state === "PendingImport") throw wrongOrigin(key);
      const { rotation: setting } = await primaryOf(call.records, key);
      // AWS: a key pending deletion shows no rotation; the setting comes back with the key.
      const rotation = key.state.startsWith("Pending") ? undefined : setting;
      return {
        output: {
          KeyId: key.keyId,
          KeyRotationEnabled: rotation !== undefined,
          ...(rotation && {
            RotationPeriodInDays: rotation.periodDays,
            NextRotationDate: rotation.nextMs,
          }),
        },
      };
    },
  };
}
