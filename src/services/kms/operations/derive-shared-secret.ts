import type { DeriveSharedSecretRequest, DeriveSharedSecretResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { requireAlgorithm, requireUsage } from "../key-specs.ts";
import { keyUseOf } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { requireNoRecipient, stopAtDryRun, validation } from "../refusals.ts";
import { requireState } from "../states.ts";

export function deriveSharedSecret(
  dependencies: KmsDependencies,
): Operation<Wire<DeriveSharedSecretRequest>, Wire<DeriveSharedSecretResponse>> {
  return {
    name: "DeriveSharedSecret",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: ["KeyId", "KeyAgreementAlgorithm"],
    },
    async resources(input, call) {
      requireNoRecipient(input.Recipient);
      requireGrantTokens(dependencies, input.GrantTokens);
      const conditions = { "kms:keyagreementalgorithm": input.KeyAgreementAlgorithm };
      return [keyUse(await locateKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key, arn } = await requireKey(dependencies, call, input.KeyId);
      requireUsage(key, "KEY_AGREEMENT", "DeriveSharedSecret");
      requireAlgorithm(key, input.KeyAgreementAlgorithm);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const publicKey = input.PublicKey;
      const secret = await dependencies.vault.agree({ ...keyUseOf(key), publicKey });
      // AWS: a malformed public key, or one of another curve, is refused without a message.
      if (!secret) throw validation("");
      return {
        output: {
          KeyId: arn,
          SharedSecret: secret,
          KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
          KeyOrigin: key.origin,
        },
      };
    },
  };
}
