import type { GetFederationTokenRequest, GetFederationTokenResponse } from "@aws-sdk/client-sts";
import { formatArn } from "../../../kernel/arn.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import type { StsDependencies } from "../dependencies.ts";
import { auditedCredentials, issueCredentials } from "../issue.ts";
import { checkedContent, sessionTags, tagConditions } from "../session-request.ts";
import { longTermCaller, tokenSeconds } from "../token-owner.ts";

export function getFederationToken(
  dependencies: StsDependencies,
): Operation<Wire<GetFederationTokenRequest>, Wire<GetFederationTokenResponse>> {
  return {
    name: "GetFederationToken",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: ["Name", "DurationSeconds", "Policy", "PolicyArns", "Tags"],
      response: (output) => ({
        credentials: auditedCredentials(output.Credentials),
        federatedUser: {
          federatedUserId: output.FederatedUser?.FederatedUserId ?? null,
          arn: output.FederatedUser?.Arn ?? null,
        },
      }),
    },
    resources(input, call) {
      const { accountId } = longTermCaller(call);
      const tags = sessionTags(input.Tags);
      const arn = federatedArn(accountId, input.Name);
      const use = { arn, accountId, context: tagConditions(tags) };
      return Object.keys(tags).length === 0 ? [use] : [use, { ...use, action: "sts:TagSession" }];
    },
    async handle(input, call) {
      const caller = longTermCaller(call);
      const { accountId } = caller;
      const { content, packed } = await checkedContent(
        dependencies.identities,
        call,
        accountId,
        input,
        sessionTags(input.Tags),
      );
      const parent = caller.kind === "user" ? dependencies.identities.holderOf(caller) : undefined;
      const holder = {
        kind: "federated",
        name: input.Name,
        parent: parent && { key: parent.key, userId: parent.userId },
      } as const;
      const claims = { ...content, accountId, holder, issuedMs: call.now };
      const seconds = tokenSeconds(caller, input.DurationSeconds);
      return {
        output: {
          Credentials: issueCredentials(dependencies, seconds, claims),
          FederatedUser: {
            FederatedUserId: `${accountId}:${input.Name}`,
            Arn: federatedArn(accountId, input.Name),
          },
          ...packed,
        },
      };
    },
  };
}

function federatedArn(accountId: string, name: string): string {
  return formatArn("sts", "", accountId, `federated-user/${name}`);
}
