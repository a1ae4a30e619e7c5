import type { GetAccessKeyInfoRequest, GetAccessKeyInfoResponse } from "@aws-sdk/client-sts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { StsDependencies } from "../dependencies.ts";

export function getAccessKeyInfo(
  dependencies: StsDependencies,
): Operation<Wire<GetAccessKeyInfoRequest>, Wire<GetAccessKeyInfoResponse>> {
  return {
    name: "GetAccessKeyInfo",
    access: "read",
    audit: { category: "management", readOnly: true, request: ["AccessKeyId"] },
    resources: (_input, call) => [{ arn: "*", accountId: call.accountId }],
    async handle(input, call) {
      const account = await dependencies.identities.accountOfAccessKey(
        call.records,
        input.AccessKeyId,
      );
      if (account === undefined) {
        // AWS?: AWS reads the account out of the id; ids of this server carry none.
        throw new Refusal("ValidationError", `Invalid access key id: ${input.AccessKeyId}`, {
          status: 400,
        });
      }
      return { output: { Account: account } };
    },
  };
}
