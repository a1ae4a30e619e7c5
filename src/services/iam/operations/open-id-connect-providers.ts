import type {
  AddClientIDToOpenIDConnectProviderRequest,
  DeleteOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderRequest,
  GetOpenIDConnectProviderResponse,
  ListOpenIDConnectProvidersRequest,
  ListOpenIDConnectProvidersResponse,
  RemoveClientIDFromOpenIDConnectProviderRequest,
  UpdateOpenIDConnectProviderThumbprintRequest,
} from "@aws-sdk/client-iam";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import {
  clientIdsMax,
  providerArn,
  providerUse,
  putProvider,
  requireProvider,
  requireThumbprints,
} from "../oidc-providers.ts";
import { limitExceeded } from "../refusals.ts";
import { accountScope, oidcProviders } from "../store.ts";
import { shownTags } from "../tags.ts";

const named = "OpenIDConnectProviderArn";

export function getOpenIdConnectProvider(): Operation<
  Wire<GetOpenIDConnectProviderRequest>,
  Wire<GetOpenIDConnectProviderResponse>
> {
  return {
    name: "GetOpenIDConnectProvider",
    access: "read",
    audit: { category: "management", readOnly: true, request: [named] },
    resources: async (input, call) => [await providerUse(call, input[named])],
    async handle(input, call) {
      const { issuer, clientIds, thumbprints, createdMs, tags } = await requireProvider(
        call,
        input[named],
      );
      return {
        output: {
          // AWS: without the scheme.
          Url: issuer,
          ClientIDList: clientIds,
          ThumbprintList: thumbprints,
          CreateDate: createdMs,
          ...shownTags(tags),
        },
      };
    },
  };
}

export function listOpenIdConnectProviders(): Operation<
  Wire<ListOpenIDConnectProvidersRequest>,
  Wire<ListOpenIDConnectProvidersResponse>
> {
  return {
    name: "ListOpenIDConnectProviders",
    access: "list",
    audit: { category: "management", readOnly: true },
    resources: (_input, { accountId }) => [
      { arn: providerArn({ accountId, issuer: "*" }), accountId },
    ],
    async handle(_input, call) {
      const all = await oidcProviders.list(call.records, call);
      const list = all.map(({ value }) => ({ Arn: providerArn(value) }));
      return { output: { OpenIDConnectProviderList: list } };
    },
  };
}

export function deleteOpenIdConnectProvider(): Operation<
  Wire<DeleteOpenIDConnectProviderRequest>,
  object
> {
  return {
    name: "DeleteOpenIDConnectProvider",
    access: "write",
    audit: { category: "management", readOnly: false, request: [named] },
    resources: async (input, call) => [await providerUse(call, input[named])],
    async handle(input, call) {
      const { issuer, accountId } = await requireProvider(call, input[named]);
      return { output: {}, commands: [oidcProviders.remove(accountScope(accountId), issuer)] };
    },
  };
}

/** AWS: adding a client id that is there already does nothing. */
export function addClientIdToOpenIdConnectProvider(): Operation<
  Wire<AddClientIDToOpenIDConnectProviderRequest>,
  object
> {
  return {
    name: "AddClientIDToOpenIDConnectProvider",
    access: "write",
    audit: { category: "management", readOnly: false, request: [named, "ClientID"] },
    resources: async (input, call) => [await providerUse(call, input[named])],
    async handle(input, call) {
      const provider = await requireProvider(call, input[named]);
      if (provider.clientIds.includes(input.ClientID)) return { output: {} };
      if (provider.clientIds.length >= clientIdsMax) {
        throw limitExceeded(
          `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${clientIdsMax}`,
        );
      }
      const clientIds = [...provider.clientIds, input.ClientID];
      return { output: {}, commands: [putProvider({ ...provider, clientIds })] };
    },
  };
}

export function removeClientIdFromOpenIdConnectProvider(): Operation<
  Wire<RemoveClientIDFromOpenIDConnectProviderRequest>,
  object
> {
  return {
    name: "RemoveClientIDFromOpenIDConnectProvider",
    access: "write",
    audit: { category: "management", readOnly: false, request: [named, "ClientID"] },
    resources: async (input, call) => [await providerUse(call, input[named])],
    async handle(input, call) {
      const provider = await requireProvider(call, input[named]);
      const clientIds = provider.clientIds.filter((id) => id !== input.ClientID);
      return { output: {}, commands: [putProvider({ ...provider, clientIds })] };
    },
  };
}

export function updateOpenIdConnectProviderThumbprint(): Operation<
  Wire<UpdateOpenIDConnectProviderThumbprintRequest>,
  object
> {
  return {
    name: "UpdateOpenIDConnectProviderThumbprint",
    access: "write",
    audit: { category: "management", readOnly: false, request: [named, "ThumbprintList"] },
    resources: async (input, call) => [await providerUse(call, input[named])],
    async handle(input, call) {
      const provider = await requireProvider(call, input[named]);
      const thumbprints = requireThumbprints(input.ThumbprintList);
      return { output: {}, commands: [putProvider({ ...provider, thumbprints })] };
    },
  };
}
