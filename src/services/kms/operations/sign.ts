import type { SignRequest, SignResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { keyUseOf } from "../keys.ts";
import { auditedSigning, signingQuestion, signingResources } from "../signing.ts";

export function sign(
  dependencies: KmsDependencies,
): Operation<Wire<SignRequest>, Wire<SignResponse>> {
  return {
    name: "Sign",
    access: "write",
    audit: { category: "management", readOnly: true, secret: true, request: auditedSigning },
    resources: (input, call) => signingResources(dependencies, input, call),
    async handle(input, call) {
      const { key, arn, question } = await signingQuestion(dependencies, input, call);
      const signature = await dependencies.vault.sign({ ...keyUseOf(key), ...question });
      return {
        output: { KeyId: arn, Signature: signature, SigningAlgorithm: input.SigningAlgorithm },
      };
    },
  };
}
