import type { RetireGrantRequest } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import type { GrantFacts, Operation } from "../../../kernel/operation.ts";
import type { AttachedPolicy } from "../../../kernel/policy.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { keyResourceType } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import { removeGrant, requireGrant, withGrantCount } from "../grant-records.ts";
import { openGrantToken } from "../grant-tokens.ts";
import { keyArn, saveKey } from "../keys.ts";
import { requireKey } from "../locate.ts";
import { refuse, stopAtDryRun, validation } from "../refusals.ts";
import { type GrantRecord, type KeyRecord, keys } from "../store.ts";

type Input = Wire<RetireGrantRequest>;

interface Named {
  readonly key: Readonly<KeyRecord>;
  readonly grant: Readonly<GrantRecord>;
}

export function retireGrant(dependencies: KmsDependencies): Operation<Input, object> {
  return {
    name: "RetireGrant",
    access: "permissions",
    // AWS: the request of the record is empty: a token is not for the audit.
    audit: { category: "management", readOnly: false },
    async resources(input, call) {
      const { key, grant } = await findGrant(dependencies, input, call);
      return [
        {
          arn: keyArn(key),
          accountId: grant.issuingAccountId,
          type: keyResourceType,
          policyKind: "key",
          policy: issuersPolicy(grant.issuingAccountId),
          grants: retiringGrants(grant),
        },
      ];
    },
    async handle(input, call) {
      const { key, grant } = await findGrant(dependencies, input, call);
      stopAtDryRun(input.DryRun);
      const change = saveKey(dependencies, key, withGrantCount(key, -1));
      return {
        ...change,
        output: {},
        commands: [...change.commands, ...removeGrant(key, grant)],
        audit: { additionalEventData: { grantId: grant.grantId } },
      };
    },
  };
}

async function findGrant(dependencies: KmsDependencies, input: Input, call: Call): Promise<Named> {
  const { GrantToken: token, KeyId: keyId, GrantId: grantId } = input;
  if (token !== undefined && keyId === undefined && grantId === undefined) {
    const name = openGrantToken(dependencies.grantTokens, token);
    const key = await keys.get(call.records, name, name.keyId);
    // AWS?: a genuine token of a grant that is gone.
    if (!key || name.region !== call.region) {
      throw refuse("InvalidGrantTokenException", "The grant token is not valid.");
    }
    return { key, grant: await requireGrant(call, key, name.grantId) };
  }
  if (token !== undefined || keyId === undefined || grantId === undefined) {
    // AWS?: text.
    throw validation("Please specify either a grant token, or a key ID and a grant ID.");
  }
  const { key } = await requireKey(dependencies, call, keyId, "key");
  return { key, grant: await requireGrant(call, key, grantId) };
}

/**
 * AWS: the key policy has no say in who retires a grant. The account that made it has, and whom its
 * IAM policies allow.
 */
function issuersPolicy(accountId: string): AttachedPolicy {
  let policy = issuersPolicies.get(accountId);
  if (policy === undefined) {
    const Principal = { AWS: `arn:aws:iam::${accountId}:root` };
    const Statement = [{ Effect: "Allow", Principal, Action: "kms:RetireGrant", Resource: "*" }];
    const text = JSON.stringify({ Version: "2012-10-17", Statement });
    policy = Object.freeze({ text, principalIds: {} });
    if (issuersPolicies.size >= issuersPoliciesMax) issuersPolicies.clear();
    issuersPolicies.set(accountId, policy);
  }
  return policy;
}

/** Compiled forms hang on the policy objects: one for each account. */
const issuersPolicies = new Map<string, AttachedPolicy>();
const issuersPoliciesMax = 1000;

/** AWS: the retiring principal, and the grantee if the grant says so. */
function retiringGrants(grant: Readonly<GrantRecord>): readonly GrantFacts[] {
  const { grantId, retiringPrincipal, retiringId } = grant;
  if (retiringPrincipal === undefined) return [grant];
  const operations = ["RetireGrant"];
  const retiring: GrantFacts = {
    grantId,
    operations,
    granteePrincipal: retiringPrincipal,
    ...(retiringId !== undefined && { granteeId: retiringId }),
  };
  return [grant, retiring];
}
