import type {
  GetDataProtectionPolicyInput,
  GetDataProtectionPolicyResponse,
} from "@aws-sdk/client-sns";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { topicOperation } from "../topic-operation.ts";

type Input = Wire<GetDataProtectionPolicyInput>;
type Output = Wire<GetDataProtectionPolicyResponse>;

/** AWS: GetDataProtectionPolicy; no member where there is no policy. */
export function getDataProtectionPolicyOperation(): Operation<Input, Output> {
  return topicOperation<Input, Output>({
    name: "GetDataProtectionPolicy",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["ResourceArn"] },
    topicArn: ({ ResourceArn }) => ResourceArn,
    parameter: "ResourceArn",
    handle: (_input, _call, { dataProtectionPolicy }) => ({
      output:
        dataProtectionPolicy === undefined ? {} : { DataProtectionPolicy: dataProtectionPolicy },
    }),
  });
}
