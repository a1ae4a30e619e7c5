import type { VerifyRequest, VerifyResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { keyUseOf } from "../keys.ts";
import { refuse } from "../refusals.ts";
import { auditedSigning, signingQuestion, signingResources } from "../signing.ts";

export function verify(
  dependencies: KmsDependencies,
): Operation<Wire<VerifyRequest>, Wire<VerifyResponse>> {
  return {
    name: "Verify",
    access: "write",
    audit: { category: "management", readOnly: true, request: auditedSigning },
    resources: (input, call) => signingResources(dependencies, input, call),
    async handle(input, call) {
      const { key, arn, question } = await signingQuestion(dependencies, input, call);
      const signature = input.Signature;
      const holds = await dependencies.vault.verify({ ...keyUseOf(key), ...question, signature });
      // AWS: an invalid signature is an error, without a message, never `false`.
      if (!holds) throw refuse("KMSInvalidSignatureException", "");
      return {
        output: { KeyId: arn, SignatureValid: true, SigningAlgorithm: input.SigningAlgorithm },
      };
    },
  };
}
