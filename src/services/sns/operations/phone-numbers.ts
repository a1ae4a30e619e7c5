import type {
  CheckIfPhoneNumberIsOptedOutInput,
  CheckIfPhoneNumberIsOptedOutResponse,
  ListPhoneNumbersOptedOutInput,
  ListPhoneNumbersOptedOutResponse,
  OptInPhoneNumberInput,
} from "@aws-sdk/client-sns";
import type { AnyOperation, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { checkPhoneNumber } from "../direct.ts";
import { accountUses } from "../topics.ts";

/**
 * AWS: what it knows of phones. Sealpost reaches no phone network, so nobody can have opted out of
 * anything: that is what these operations say, truly. Everything else about phones is not offered.
 */
export function phoneNumberOperations(): readonly AnyOperation[] {
  return [checkOptedOut(), listOptedOut(), optIn()];
}

function checkOptedOut(): Operation<
  Wire<CheckIfPhoneNumberIsOptedOutInput>,
  Wire<CheckIfPhoneNumberIsOptedOutResponse>
> {
  return {
    name: "CheckIfPhoneNumberIsOptedOut",
    access: "read",
    audit: { category: "management", readOnly: true },
    resources: (_input, call) => accountUses(call),
    handle({ phoneNumber }) {
      checkPhoneNumber(phoneNumber);
      return { output: { isOptedOut: false } };
    },
  };
}

function listOptedOut(): Operation<
  Wire<ListPhoneNumbersOptedOutInput>,
  Wire<ListPhoneNumbersOptedOutResponse>
> {
  return {
    name: "ListPhoneNumbersOptedOut",
    access: "list",
    audit: { category: "management", readOnly: true },
    resources: (_input, call) => accountUses(call),
    handle: () => ({ output: { phoneNumbers: [] } }),
  };
}

function optIn(): Operation<Wire<OptInPhoneNumberInput>, object> {
  return {
    name: "OptInPhoneNumber",
    access: "write",
    audit: { category: "management", readOnly: false },
    resources: (_input, call) => accountUses(call),
    handle({ phoneNumber }) {
      checkPhoneNumber(phoneNumber);
      return { output: {} };
    },
  };
}
