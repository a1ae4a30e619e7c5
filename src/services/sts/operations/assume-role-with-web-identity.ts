import type {
  AssumeRoleWithWebIdentityRequest,
  AssumeRoleWithWebIdentityResponse,
} from "@aws-sdk/client-sts";
import { decide, globalContext } from "../../../auth/policy/index.ts";
import type { Call } from "../../../kernel/call.ts";
import type { WebIdentityCaller } from "../../../kernel/caller.ts";
import { Refusal } from "../../../kernel/errors.ts";
import type { ConditionContext, Operation } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { assumedRole, roleAccountId, roleSeconds } from "../assume.ts";
import type { RoleFacts, StsDependencies } from "../dependencies.ts";
import { auditedCredentials } from "../issue.ts";
import { invalidIdentityToken, validationError } from "../refusals.ts";
import { checkedContent, tagConditions } from "../session-request.ts";
import { type WebSession, webSession } from "../web-session.ts";
import { type CheckedToken, checkToken, readToken } from "../web-token.ts";

type Input = Wire<AssumeRoleWithWebIdentityRequest>;

/** AWS: an unsigned call; the token of a registered OIDC provider says who it is. */
export function assumeRoleWithWebIdentity(
  dependencies: StsDependencies,
): Operation<Input, Wire<AssumeRoleWithWebIdentityResponse>> {
  return {
    name: "AssumeRoleWithWebIdentity",
    // Decided in `handle`, when the token has been checked.
    action: null,
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: [
        "RoleArn",
        "RoleSessionName",
        "ProviderId",
        "DurationSeconds",
        "Policy",
        "PolicyArns",
      ],
      response: (output) => ({
        credentials: auditedCredentials(output.Credentials),
        subjectFromWebIdentityToken: output.SubjectFromWebIdentityToken ?? null,
        audience: output.Audience ?? null,
        provider: output.Provider ?? null,
        assumedRoleUser: {
          assumedRoleId: output.AssumedRoleUser?.AssumedRoleId ?? null,
          arn: output.AssumedRoleUser?.Arn ?? null,
        },
      }),
    },
    resources: (input) => [
      { arn: input.RoleArn, accountId: roleAccountId(input.RoleArn), type: "AWS::IAM::Role" },
    ],
    handle: (input, call) => handle(dependencies, input, call),
  };
}

async function handle(dependencies: StsDependencies, input: Input, call: Call) {
  const { identities, providerKeys, systemClock } = dependencies;
  if (input.ProviderId !== undefined) {
    throw validationError("ProviderId is for OAuth 2.0 tokens, which are not supported.");
  }
  const accountId = roleAccountId(input.RoleArn);
  const token = readToken(input.WebIdentityToken);
  const provider = await identities.provider(call.records, accountId, token.issuer);
  if (!provider) {
    throw invalidIdentityToken(
      `No OpenIDConnect provider found in your account for https://${token.issuer}`,
    );
  }
  const checked = await checkToken(token, provider, providerKeys, systemClock.now());
  const { subject, audience } = checked;
  const caller = { kind: "web-identity", provider: provider.arn, audience, subject } as const;
  const carried = webSession(checked.claims);
  const role = await identities.role(call.records, input.RoleArn);
  const context = tokenContext(provider.issuer, checked, carried, input);
  const actions = actionsOf(carried);
  for (const action of actions) requireTrust(call, caller, action, role, input.RoleArn, context);
  if (!role) throw notAuthorized("sts:AssumeRoleWithWebIdentity", input.RoleArn, []);
  const seconds = roleSeconds(input.DurationSeconds, role, false);
  const { content, packed } = await checkedContent(
    identities,
    call,
    accountId,
    input,
    carried.tags,
  );
  const { transitiveTagKeys, sourceIdentity } = carried;
  const claims = {
    ...content,
    transitiveTagKeys,
    sourceIdentity,
    federatedProvider: provider.arn,
  };
  const session = { sessionName: input.RoleSessionName, seconds, claims };
  return {
    output: {
      ...assumedRole(dependencies, call, role, session),
      ...packed,
      SubjectFromWebIdentityToken: subject,
      Audience: audience,
      Provider: provider.arn,
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    },
    audit: { identity: caller },
  };
}

function actionsOf({ tags, sourceIdentity }: WebSession): readonly string[] {
  return [
    "sts:AssumeRoleWithWebIdentity",
    ...(Object.keys(tags).length > 0 ? ["sts:TagSession"] : []),
    ...(sourceIdentity !== undefined ? ["sts:SetSourceIdentity"] : []),
  ];
}

/** AWS: `<issuer>:aud`, `<issuer>:sub` and `<issuer>:amr`, beside the keys of every AssumeRole. */
function tokenContext(
  issuer: string,
  { subject, audience, claims }: CheckedToken,
  { tags, transitiveTagKeys, sourceIdentity }: WebSession,
  input: Input,
): ConditionContext {
  const { amr } = claims;
  const methods = Array.isArray(amr) ? amr.filter((one) => typeof one === "string") : [];
  const name = issuer.toLowerCase();
  return {
    ...tagConditions(tags),
    [`${name}:aud`]: audience,
    [`${name}:sub`]: subject,
    ...(methods.length > 0 && { [`${name}:amr`]: methods }),
    "sts:rolesessionname": input.RoleSessionName,
    ...(sourceIdentity !== undefined && { "sts:sourceidentity": sourceIdentity }),
    ...(transitiveTagKeys.length > 0 && { "sts:transitivetagkeys": transitiveTagKeys }),
  };
}

function requireTrust(
  call: Call,
  caller: WebIdentityCaller,
  action: string,
  role: RoleFacts | undefined,
  roleArn: string,
  context: ConditionContext,
): void {
  const { transport, region, now: nowMs } = call;
  const resourceAccountId = roleAccountId(roleArn);
  const decision = decide({
    caller,
    action,
    resource: roleArn,
    resourceAccountId,
    service: "sts",
    context: {
      ...globalContext({
        caller,
        transport,
        nowMs,
        region,
        service: "sts",
        resourceAccountId,
        resourceTags: role?.tags,
        endpoint: transport.endpoint,
      }),
      "aws:federatedprovider": caller.provider,
      ...context,
    },
    identity: [],
    resourcePolicy: role?.trust,
    policyKind: "trust",
    endpoint: transport.endpoint?.policy,
  });
  if (!decision.allowed) throw notAuthorized(action, roleArn, decision.statements);
}

/** AWS: the same text whether the role is not there or does not trust the provider. */
function notAuthorized(
  action: string,
  resource: string,
  statements: NonNullable<Refusal["denial"]>["statements"],
): Refusal {
  const reason = `Not authorized to perform ${action}`;
  const explicit = statements.length > 0;
  const denial = { action, resource, reason, explicit, statements };
  return new Refusal("AccessDenied", reason, { status: 403, denial });
}
