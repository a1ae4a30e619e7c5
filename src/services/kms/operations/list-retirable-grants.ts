import type { ListGrantsResponse, ListRetirableGrantsRequest } from "@aws-sdk/client-kms";
import { parseArn } from "../../../kernel/arn.ts";
import type { Call } from "../../../kernel/call.ts";
import type { Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { noKeyUse } from "../conditions.ts";
import { grantEntry } from "../grant-listing.ts";
import { retirablePrefix } from "../grant-records.ts";
import { grantRecordId } from "../grants.ts";
import { type PageRequest, pageOf, pageOutput, pageRequest } from "../paging.ts";
import { constraint, notAvailable, refuse } from "../refusals.ts";
import {
  type GrantRecord,
  grants,
  installationScope,
  type KeyRecord,
  keys,
  retirable,
} from "../store.ts";

type Input = Wire<ListRetirableGrantsRequest>;

interface Listed {
  readonly id: string;
  readonly key: Readonly<KeyRecord>;
  readonly grant: Readonly<GrantRecord>;
}

export function listRetirableGrants(): Operation<Input, Wire<ListGrantsResponse>> {
  return {
    name: "ListRetirableGrants",
    access: "list",
    audit: {
      category: "management",
      readOnly: true,
      request: ["RetiringPrincipal", "Limit", "Marker"],
    },
    resources(input, call) {
      requirePrincipal(input, call);
      return [noKeyUse(call)];
    },
    async handle(input, call) {
      const request = pageRequest("ListRetirableGrants", input, { default: 50, max: 100 });
      const found = await retirableAfter(call, requirePrincipal(input, call), request);
      const page = pageOf("ListRetirableGrants", request, found, ({ id }) => id);
      const entries = page.entries.map(({ key, grant }) => grantEntry(key, grant));
      return { output: { Grants: entries, ...pageOutput(page) } };
    },
  };
}

/** AWS: a principal of the caller's own account. */
function requirePrincipal(input: Input, call: Call): string {
  if (input.RetiringServicePrincipal !== undefined) throw notAvailable("RetiringServicePrincipal");
  const { RetiringPrincipal: principal } = input;
  if (principal === undefined) {
    throw constraint("retiringPrincipal", undefined, "Member must not be null");
  }
  if (parseArn(principal)?.accountId === call.accountId) return principal;
  // AWS?: text.
  throw refuse("InvalidArnException", `The principal '${principal}' is not of your account.`);
}

async function retirableAfter(
  call: Call,
  principal: string,
  { afterId, limit }: PageRequest,
): Promise<readonly Listed[]> {
  const idPrefix = retirablePrefix(call.region, principal);
  const listed = await retirable.list(call.records, installationScope, {
    idPrefix,
    ...(afterId !== "" && { afterId }),
    limit: limit + 1,
  });
  const found: Listed[] = [];
  for (const { id, value } of listed) {
    const scope = { accountId: value.accountId, region: call.region };
    const key = await keys.get(call.records, scope, value.keyId);
    const grantId = grantRecordId(value.keyId, value.grantId);
    const grant = await grants.get(call.records, scope, grantId);
    if (key && grant?.retiringPrincipal === principal) found.push({ id, key, grant });
  }
  return found;
}
