import type {
  GetParametersForImportRequest,
  GetParametersForImportResponse,
} from "@aws-sdk/client-kms";
import { assert } from "../../../kernel/errors.ts";
import { isKeySpec } from "../../../kernel/key-specs.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { parametersValidMs, requireExternal, requireWrapping } from "../imports.ts";
import { identityOf } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { requireState } from "../states.ts";

export function getParametersForImport(
  dependencies: KmsDependencies,
): Operation<Wire<GetParametersForImportRequest>, Wire<GetParametersForImportResponse>> {
  return {
    name: "GetParametersForImport",
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: ["KeyId", "WrappingAlgorithm", "WrappingKeySpec"],
    },
    async resources(input, call) {
      const conditions = {
        "kms:wrappingalgorithm": input.WrappingAlgorithm,
        "kms:wrappingkeyspec": input.WrappingKeySpec,
      };
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId), conditions)];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      const { WrappingAlgorithm: wrappingAlgorithm, WrappingKeySpec: wrappingSpec } = input;
      requireExternal(key);
      requireState(key, "getImportParameters");
      requireWrapping(key, wrappingAlgorithm, wrappingSpec);
      assert(isKeySpec(wrappingSpec), "wrapping keys are RSA keys");
      const validToMs = call.now + parametersValidMs;
      const { publicKey, token } = await dependencies.vault.importParameters({
        ...identityOf(key),
        region: key.region,
        wrappingSpec,
        wrappingAlgorithm,
        validToMs,
      });
      return {
        output: {
          KeyId: arn,
          ImportToken: token,
          PublicKey: publicKey,
          ParametersValidTo: validToMs,
        },
      };
    },
  };
}
