import type { ListPublicKeysRequest, ListPublicKeysResponse } from "@aws-sdk/client-cloudtrail";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { refuse } from "../refusals.ts";
import { digestKeys } from "../signing-keys.ts";
import { everyTrail } from "../trail-operation.ts";

type Input = Wire<ListPublicKeysRequest>;
type Output = Wire<ListPublicKeysResponse>;

/** AWS: the region's keys that signed digests in a time; without one, now. */
export function listPublicKeysOperation(): Operation<Input, Output> {
  return {
    name: "ListPublicKeys",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      request: ["StartTime", "EndTime", "NextToken"],
    },
    resources: (_input, call) => everyTrail(call),
    async handle({ StartTime, EndTime, NextToken }, call) {
      if (NextToken !== undefined) {
        throw refuse("InvalidTokenException", "Invalid or expired next token.");
      }
      const endMs = EndTime ?? call.now;
      const startMs = StartTime ?? endMs;
      if (startMs > endMs) {
        throw refuse("InvalidTimeRangeException", "The start time must be before the end time.");
      }
      const keys = await digestKeys.list(call.records, call.region);
      const inTime = keys.filter((key) => key.validFromMs <= endMs && key.validToMs >= startMs);
      return {
        output: {
          PublicKeyList: inTime.map((key) => ({
            Value: Buffer.from(key.publicKey, "base64"),
            ValidityStartTime: key.validFromMs,
            ValidityEndTime: key.validToMs,
            Fingerprint: key.fingerprint,
          })),
        },
      };
    },
  };
}
