import type {
  CreateOpenIDConnectProviderRequest,
  CreateOpenIDConnectProviderResponse,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  clientIdsMax,
  findProvider,
  issuerOf,
  providerArn,
  putProvider,
  requireThumbprints,
} from "../oidc-providers.ts";
import { requireEntityQuota } from "../quotas.ts";
import { alreadyExists, limitExceeded } from "../refusals.ts";
import { oidcProviders } from "../store.ts";
import { creationUses, mergedTags, requestedTags, shownTags } from "../tags.ts";

/**
 * DIFFERS: thumbprints are kept and shown, but the issuer's certificate must be trusted by this
 * machine in any case; a thumbprint alone admits no certificate.
 */
export function createOpenIdConnectProvider(): Operation<
  Wire<CreateOpenIDConnectProviderRequest>,
  Wire<CreateOpenIDConnectProviderResponse>
> {
  return {
    name: "CreateOpenIDConnectProvider",
    access: "write",
    audit: {
      category: "management",
      readOnly: false,
      request: ["Url", "ClientIDList", "ThumbprintList"],
      response: ["OpenIDConnectProviderArn"],
    },
    resources(input, { accountId }) {
      const arn = providerArn({ accountId, issuer: issuerOf(input.Url) });
      const use = { arn, accountId, type: "AWS::IAM::OIDCProvider" };
      return creationUses(use, "iam:TagOpenIDConnectProvider", input);
    },
    async handle(input, call) {
      const { accountId } = call;
      const issuer = issuerOf(input.Url);
      const arn = providerArn({ accountId, issuer });
      if (await findProvider(call.records, arn)) {
        throw alreadyExists(`Provider with url ${input.Url} already exists.`);
      }
      await requireEntityQuota(call, oidcProviders, "OpenIdConnectProvidersPerAccount");
      const clientIds = [...new Set(input.ClientIDList ?? [])];
      if (clientIds.length > clientIdsMax) {
        throw limitExceeded(
          `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${clientIdsMax}`,
        );
      }
      const tags = mergedTags({}, requestedTags(input.Tags ?? []));
      const thumbprints = requireThumbprints(input.ThumbprintList ?? []);
      const provider = { accountId, issuer, clientIds, thumbprints, createdMs: call.now, tags };
      const output = { OpenIDConnectProviderArn: arn, ...shownTags(tags) };
      return { output, commands: [putProvider(provider)] };
    },
  };
}
