import type {
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse,
} from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { locateKey, requireKey } from "../locate.ts";

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
      // AWS: a key pending deletion shows no rotation; the setting comes back with the key.
      const rotation = key.state === "PendingDeletion" ? undefined : key.rotation;
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
