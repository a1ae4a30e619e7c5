import type { GenerateRandomRequest, GenerateRandomResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { noKeyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { notAvailable, requireNoRecipient, validation } from "../refusals.ts";

export function generateRandom(
  dependencies: KmsDependencies,
): Operation<Wire<GenerateRandomRequest>, Wire<GenerateRandomResponse>> {
  return {
    name: "GenerateRandom",
    access: "write",
    audit: { category: "management", readOnly: true, secret: true },
    resources(input, call) {
      requireNoRecipient(input.Recipient);
      if (input.CustomKeyStoreId !== undefined) throw notAvailable("CustomKeyStoreId");
      requireLength(input);
      return [noKeyUse(call)];
    },
    handle(input) {
      return { output: { Plaintext: dependencies.random.bytes(requireLength(input)) } };
    },
  };
}

function requireLength(input: Wire<GenerateRandomRequest>): number {
  if (input.NumberOfBytes === undefined) throw validation("NumberOfBytes is required.");
  return input.NumberOfBytes;
}
