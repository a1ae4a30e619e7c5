import type { GetKeyLastUsageRequest, GetKeyLastUsageResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireOwnKey } from "../locate.ts";

export function getKeyLastUsage(
  dependencies: KmsDependencies,
): Operation<Wire<GetKeyLastUsageRequest>, Wire<GetKeyLastUsageResponse>> {
  return {
    name: "GetKeyLastUsage",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId"] },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      const use = await dependencies.lastUse({ ...key, arn });
      return {
        output: {
          KeyId: key.keyId,
          ...(use && {
            KeyLastUsage: {
              Operation: use.operation as LastUsageOperation,
              Timestamp: use.atMs,
              CloudTrailEventId: use.eventId,
              KmsRequestId: use.requestId,
            },
          }),
          // Every use is audited from the key's first moment on.
          TrackingStartDate: key.createdMs,
          KeyCreationDate: key.createdMs,
        },
      };
    },
  };
}

type LastUsage = NonNullable<GetKeyLastUsageResponse["KeyLastUsage"]>;
type LastUsageOperation = NonNullable<LastUsage["Operation"]>;
