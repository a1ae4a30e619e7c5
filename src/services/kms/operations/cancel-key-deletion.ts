import type { CancelKeyDeletionRequest, CancelKeyDeletionResponse } from "@aws-sdk/client-kms";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { saveKey } from "../keys.ts";
import { requireOwnKey } from "../locate.ts";
import { isWholeKey } from "../multi-region.ts";
import { requirePendingDeletion } from "../states.ts";

export function cancelKeyDeletion(
  dependencies: KmsDependencies,
): Operation<Wire<CancelKeyDeletionRequest>, Wire<CancelKeyDeletionResponse>> {
  return {
    name: "CancelKeyDeletion",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["KeyId"],
      response: ["KeyId"],
    },
    async resources(input, call) {
      return [keyUse(await requireOwnKey(dependencies, call, input.KeyId))];
    },
    async handle(input, call) {
      const { key, arn } = await requireOwnKey(dependencies, call, input.KeyId);
      requirePendingDeletion(key);
      const { deletionMs: _, deletionWindowDays: __, ...rest } = key;
      // AWS: the key comes back Disabled, never Enabled; without its material it waits for it.
      const state = isWholeKey(key) ? "Disabled" : "PendingImport";
      const change = saveKey(dependencies, key, { ...rest, state });
      return { output: { KeyId: arn }, ...change };
    },
  };
}
