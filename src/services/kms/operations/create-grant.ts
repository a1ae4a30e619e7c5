import type { CreateGrantRequest, CreateGrantResponse } from "@aws-sdk/client-kms";
import type { Call } from "../../../kernel/call.ts";
import { callerAccountId } from "../../../kernel/caller.ts";
import type { Json } from "../../../kernel/json.ts";
import type { ConditionContext, GrantFacts, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { encryptionContextConditions, keyUse } from "../conditions.ts";
import type { KmsDependencies } from "../dependencies.ts";
import type { FoundKey } from "../found.ts";
import { requireGrantPrincipal } from "../grant-principals.ts";
import { putGrant, withGrantCount } from "../grant-records.ts";
import { makeGrantToken, requireGrantTokens } from "../grant-tokens.ts";
import {
  type GrantScope,
  grantsOf,
  grantsPerKeyMax,
  narrows,
  newGrantId,
  requestedConstraints,
  requireGrantOperations,
  samePairs,
} from "../grants.ts";
import { saveKey } from "../keys.ts";
import { locateKey, requireKey } from "../locate.ts";
import { constraint, notAvailable, refuse, stopAtDryRun } from "../refusals.ts";
import { requireState } from "../states.ts";
import type { GrantRecord, KeyRecord } from "../store.ts";

type Input = Wire<CreateGrantRequest>;

export function createGrant(
  dependencies: KmsDependencies,
): Operation<Input, Wire<CreateGrantResponse>> {
  return {
    name: "CreateGrant",
    access: "permissions",
    audit: {
      category: "management",
      readOnly: false,
      secret: true,
      request: auditedRequest,
    },
    async resources(input, call) {
      requireNoServicePrincipals(input);
      requireGrantTokens(dependencies, input.GrantTokens);
      const located = await locateKey(dependencies, call, input.KeyId, "key");
      const conditions = grantConditions(input, call);
      if (!located.found) return [keyUse(located, conditions)];
      return [keyUse(located, conditions, { grants: parentGrants(located, input) })];
    },
    async handle(input, call) {
      const { key, arn } = await requireKey(dependencies, call, input.KeyId, "key");
      requireGrantOperations(key, input.Operations);
      const asked = await requestedGrant(dependencies, input, call, key);
      requireState(key, "use");
      stopAtDryRun(input.DryRun);
      const same = await findSame(call, key, asked);
      const grant = same ?? asked;
      const output = {
        GrantId: grant.grantId,
        GrantToken: makeGrantToken(dependencies.grantTokens, dependencies.random, key, grant),
      };
      // AWS: the record names the key as well, and never the token.
      const audit = { responseElements: { grantId: grant.grantId, keyId: arn } };
      if (same) return { output, audit };
      const change = saveKey(dependencies, key, withGrantCount(key, 1));
      const commands = [...change.commands, ...putGrant(key, asked)];
      return { ...change, output, commands, audit };
    },
  };
}

/** AWS: customers name no services in grants; the members belong to integrated services. */
function requireNoServicePrincipals(input: Input): void {
  const { GranteeServicePrincipal, RetiringServicePrincipal, Constraints } = input;
  if (GranteeServicePrincipal !== undefined) throw notAvailable("GranteeServicePrincipal");
  if (RetiringServicePrincipal !== undefined) throw notAvailable("RetiringServicePrincipal");
  if (Constraints?.SourceArn !== undefined) throw notAvailable("Constraints.SourceArn");
  if (input.GranteePrincipal === undefined) {
    throw constraint("granteePrincipal", undefined, "Member must not be null");
  }
}

/**
 * Grants that may be the parent of this one. Only those that it narrows count at all, so a child
 * can never give more; their constraints have then done their work.
 */
function parentGrants({ grants, key }: FoundKey, input: Input): readonly GrantFacts[] {
  const child: GrantScope = {
    operations: input.Operations,
    ...requestedConstraints(key, input.Constraints),
  };
  return grants
    .filter((grant) => grant.operations.includes("CreateGrant") && narrows(grant, child))
    .map(({ encryptionContextEquals: _, encryptionContextSubset: __, ...grant }) => grant);
}

function grantConditions(input: Input, call: Call): ConditionContext {
  const { GranteePrincipal, RetiringPrincipal, Constraints } = input;
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = Constraints ?? {};
  return {
    ...encryptionContextConditions({ ...subset, ...equals }),
    "kms:grantoperations": input.Operations,
    "kms:grantisforawsresource": isForAwsResource(call),
    ...(GranteePrincipal !== undefined && { "kms:granteeprincipal": GranteePrincipal }),
    ...(RetiringPrincipal !== undefined && { "kms:retiringprincipal": RetiringPrincipal }),
    ...(equals && { "kms:grantconstrainttype": "EncryptionContextEquals" }),
    ...(subset && !equals && { "kms:grantconstrainttype": "EncryptionContextSubset" }),
  };
}

function isForAwsResource(call: Call): boolean {
  return call.via !== undefined || call.caller.kind === "service";
}

async function requestedGrant(
  dependencies: KmsDependencies,
  input: Input,
  call: Call,
  key: Readonly<KeyRecord>,
): Promise<GrantRecord> {
  if ((key.grantCount ?? 0) >= grantsPerKeyMax) {
    // AWS?: no recorded text.
    throw refuse("LimitExceededException", `A key can have up to ${grantsPerKeyMax} grants.`);
  }
  const grantee = await requireGrantPrincipal(dependencies, call, input.GranteePrincipal ?? "");
  const retiring =
    input.RetiringPrincipal === undefined
      ? undefined
      : await requireGrantPrincipal(dependencies, call, input.RetiringPrincipal);
  return {
    grantId: newGrantId(grantee.arn, dependencies.random),
    keyId: key.keyId,
    name: input.Name ?? "",
    createdMs: call.now,
    granteePrincipal: grantee.arn,
    ...(grantee.id !== undefined && { granteeId: grantee.id }),
    ...(retiring && { retiringPrincipal: retiring.arn }),
    ...(retiring?.id !== undefined && { retiringId: retiring.id }),
    issuingAccountId: callerAccountId(call.caller) ?? key.accountId,
    operations: [...new Set(input.Operations)],
    ...requestedConstraints(key, input.Constraints),
  };
}

/** AWS: the same name with the same parameters is the same grant. */
async function findSame(
  call: Call,
  key: Readonly<KeyRecord>,
  asked: GrantRecord,
): Promise<Readonly<GrantRecord> | undefined> {
  if (asked.name === "" || key.grantCount === undefined) return undefined;
  const present = await grantsOf(call, key, asked.granteePrincipal);
  return present.find(({ value }) => isSame(value, asked))?.value;
}

function isSame(left: Readonly<GrantRecord>, right: GrantRecord): boolean {
  return (
    left.name === right.name &&
    left.granteePrincipal === right.granteePrincipal &&
    left.granteeId === right.granteeId &&
    left.retiringPrincipal === right.retiringPrincipal &&
    left.retiringId === right.retiringId &&
    left.operations.toSorted().join() === right.operations.toSorted().join() &&
    samePairs(left.encryptionContextEquals, right.encryptionContextEquals) &&
    samePairs(left.encryptionContextSubset, right.encryptionContextSubset)
  );
}

function auditedRequest(input: Input): Json {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } =
    input.Constraints ?? {};
  return {
    keyId: input.KeyId,
    operations: input.Operations,
    ...(input.GranteePrincipal !== undefined && { granteePrincipal: input.GranteePrincipal }),
    ...(input.RetiringPrincipal !== undefined && { retiringPrincipal: input.RetiringPrincipal }),
    ...((equals || subset) && {
      constraints: {
        ...(subset && { encryptionContextSubset: subset }),
        ...(equals && { encryptionContextEquals: equals }),
      },
    }),
    ...(input.Name !== undefined && { name: input.Name }),
  };
}
