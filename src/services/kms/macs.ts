import type { GenerateMacRequest } from "@aws-sdk/client-kms";
import type { Call } from "../../kernel/call.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import { keyUse } from "./conditions.ts";
import type { KmsDependencies } from "./dependencies.ts";
import type { FoundKey } from "./found.ts";
import { requireGrantTokens } from "./grant-tokens.ts";
import { requireAlgorithm, requireUsage } from "./key-specs.ts";
import { locateKey, requireKey } from "./locate.ts";
import { stopAtDryRun } from "./refusals.ts";
import { requireState } from "./states.ts";

type Input = Wire<GenerateMacRequest>;

export async function macResources(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
): Promise<readonly ResourceUse[]> {
  requireGrantTokens(dependencies, input.GrantTokens);
  const conditions = { "kms:macalgorithm": input.MacAlgorithm };
  return [keyUse(await locateKey(dependencies, call, input.KeyId), conditions)];
}

/** The key of a GenerateMac or VerifyMac that may go on. */
export async function macKey(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
): Promise<FoundKey> {
  const found = await requireKey(dependencies, call, input.KeyId);
  requireUsage(found.key, "GENERATE_VERIFY_MAC", call.operation);
  requireAlgorithm(found.key, input.MacAlgorithm);
  requireState(found.key, "use");
  stopAtDryRun(input.DryRun);
  return found;
}
