import type { ListGrantsRequest, ListGrantsResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { grantEntry } from "../grant-listing.ts";
import { grantRecordId, isGrantId, principalDigest } from "../grants.ts";
import { locateKey, requireKey } from "../locate.ts";
import { type PageRequest, pageOf, pageOutput, pageRequest } from "../paging.ts";
import { notAvailable, refuse } from "../refusals.ts";
import { type GrantRecord, grants, type KeyRecord } from "../store.ts";

type Input = Wire<ListGrantsRequest>;

export function listGrants(
  dependencies: KmsDependencies,
): Operation<Input, Wire<ListGrantsResponse>> {
  return {
    name: "ListGrants",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["KeyId", "GrantId", "GranteePrincipal", "Limit", "Marker"],
    },
    async resources(input, call) {
      if (input.GranteeServicePrincipal !== undefined) {
        throw notAvailable("GranteeServicePrincipal");
      }
      const forService = call.via !== undefined || call.caller.kind === "service";
      const conditions = { "kms:grantisforawsresource": forService };
      return [keyUse(await locateKey(dependencies, call, input.KeyId, "key"), conditions)];
    },
    async handle(input, call) {
      const { key } = await requireKey(dependencies, call, input.KeyId, "key");
      const request = pageRequest("ListGrants", input, { default: 50, max: 100 });
      const entries = await grantsAfter(call, key, input, request);
      const page = pageOf("ListGrants", request, entries, (grant) => grant.grantId);
      return {
        output: {
          Grants: page.entries.map((grant) => grantEntry(key, grant)),
          ...pageOutput(page),
        },
      };
    },
  };
}

async function grantsAfter(
  call: Call,
  key: Readonly<KeyRecord>,
  { GrantId: grantId, GranteePrincipal: grantee }: Input,
  { afterId, limit }: PageRequest,
): Promise<readonly Readonly<GrantRecord>[]> {
  if (grantId !== undefined) {
    // AWS?: text.
    if (!isGrantId(grantId)) throw refuse("InvalidGrantIdException", "The grant ID is not valid.");
    const grant = await grants.get(call.records, key, grantRecordId(key.keyId, grantId));
    const matches = grant && (grantee === undefined || grant.granteePrincipal === grantee);
    return matches && grant.grantId > afterId ? [grant] : [];
  }
  const digest = grantee === undefined ? "" : principalDigest(grantee);
  const listed = await grants.list(call.records, key, {
    idPrefix: grantRecordId(key.keyId, digest),
    ...(afterId !== "" && { afterId: grantRecordId(key.keyId, afterId) }),
    // A digest may stand for two principals; the page is cut after they are told apart.
    ...(grantee === undefined && { limit: limit + 1 }),
  });
  const found = listed.map(({ value }) => value);
  return grantee === undefined
    ? found
    : found.filter(({ granteePrincipal }) => granteePrincipal === grantee);
}
