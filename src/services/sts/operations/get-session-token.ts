import type { GetSessionTokenRequest, GetSessionTokenResponse } from "@aws-sdk/client-sts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { StsDependencies } from "../dependencies.ts";
import { auditedCredentials, issueCredentials } from "../issue.ts";
import { mfaFailed } from "../refusals.ts";
import { longTermCaller, tokenSeconds } from "../token-owner.ts";

/** AWS: needs no permission; the session is the same user. */
export function getSessionToken(
  dependencies: StsDependencies,
): Operation<Wire<GetSessionTokenRequest>, Wire<GetSessionTokenResponse>> {
  return {
    name: "GetSessionToken",
    action: null,
    access: "read",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: ["DurationSeconds"],
      response: (output) => ({ credentials: auditedCredentials(output.Credentials) }),
    },
    resources: () => [],
    handle(input, call) {
      const caller = longTermCaller(call);
      if (input.TokenCode !== undefined || input.SerialNumber !== undefined) throw mfaFailed(call);
      const holder =
        caller.kind === "user"
          ? dependencies.identities.holderOf(caller)
          : { kind: "root" as const };
      const { accountId } = caller;
      const seconds = tokenSeconds(caller, input.DurationSeconds);
      const claims = { accountId, holder, issuedMs: call.now };
      return { output: { Credentials: issueCredentials(dependencies, seconds, claims) } };
    },
  };
}
