import type { DescribeKeyRequest, DescribeKeyResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { locateKey, requireKey } from "../locate.ts";
import { keyMetadata } from "../metadata.ts";

export function describeKey(
  dependencies: KmsDependencies,
): Operation<Wire<DescribeKeyRequest>, Wire<DescribeKeyResponse>> {
  return {
    name: "DescribeKey",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["KeyId"] },
    async resources(input, call) {
      requireGrantTokens(dependencies, input.GrantTokens);
      return [keyUse(await locateKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key } = await requireKey(dependencies, call, input.KeyId);
      return { output: { KeyMetadata: keyMetadata(key) } };
    },
  };
}
