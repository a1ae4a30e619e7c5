import type {
  DecodeAuthorizationMessageRequest,
  DecodeAuthorizationMessageResponse,
} from "@aws-sdk/client-sts";
import { Refusal } from "../../../kernel/errors.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { StsDependencies } from "../dependencies.ts";

/**
 * Opens what a denied answer carries in its header `x-sealpost-authorization-message`. DIFFERS: AWS
 * encodes such messages for EC2 and a few others, into the text of the error.
 */
export function decodeAuthorizationMessage({
  messages,
}: StsDependencies): Operation<
  Wire<DecodeAuthorizationMessageRequest>,
  Wire<DecodeAuthorizationMessageResponse>
> {
  return {
    name: "DecodeAuthorizationMessage",
    access: "write",
    audit: { category: "management", readOnly: true },
    resources: (_input, { accountId }) => [{ arn: "*", accountId }],
    handle(input, call) {
      const message = messages.decode(call.accountId, input.EncodedMessage);
      if (message === undefined) {
        throw new Refusal(
          "InvalidAuthorizationMessageException",
          "The encoded authorization message is not one of this account.",
          { status: 400 },
        );
      }
      return { output: { DecodedMessage: JSON.stringify(message) } };
    },
  };
}
