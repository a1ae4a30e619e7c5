import type { GetCallerIdentityRequest, GetCallerIdentityResponse } from "@aws-sdk/client-sts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";

/** AWS: needs no permission and cannot be denied. */
export function getCallerIdentity(): Operation<
  Wire<GetCallerIdentityRequest>,
  Wire<GetCallerIdentityResponse>
> {
  return {
    name: "GetCallerIdentity",
    action: null,
    access: "read",
    audit: { category: "management", readOnly: true },
    resources: () => [],
    handle(_input, call) {
      const { caller } = call;
      if (caller.kind === "service") {
        // AWS?: no service asks this over the network; it is named as its calls are recorded.
        const { service, sourceAccountId: Account } = caller;
        return { output: { UserId: service, Account, Arn: `arn:aws:iam::${Account}:${service}` } };
      }
      if (caller.kind === "anonymous") {
        throw new Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", {
          status: 403,
        });
      }
      const { principalId: UserId, accountId: Account, arn: Arn } = caller;
      return { output: { UserId, Account, Arn } };
    },
  };
}
