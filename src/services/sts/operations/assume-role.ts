import type { AssumeRoleRequest, AssumeRoleResponse } from "@aws-sdk/client-sts";
import type { Call } from "../../../kernel/call.ts";
import type { Session } from "../../../kernel/caller.ts";
import { assert } from "../../../kernel/errors.ts";
import type { ConditionContext, Operation, ResourceUse } from "../../../kernel/operation.ts";
import type { Wire } from "../../../kernel/wire-types.ts";
import { assumedRole, roleSeconds, trustUse } from "../assume.ts";
import type { StsDependencies } from "../dependencies.ts";
import { auditedCredentials } from "../issue.ts";
import { denied, invalidParameter, mfaFailed } from "../refusals.ts";
import { checkedContent, sessionTags, tagConditions } from "../session-request.ts";

type Input = Wire<AssumeRoleRequest>;
type Tags = Readonly<Record<string, string>>;

export function assumeRole(
  dependencies: StsDependencies,
): Operation<Input, Wire<AssumeRoleResponse>> {
  return {
    name: "AssumeRole",
    access: "write",
    audit: {
      category: "management",
      readOnly: true,
      secret: true,
      request: [
        "RoleArn",
        "RoleSessionName",
        "DurationSeconds",
        "ExternalId",
        "Policy",
        "PolicyArns",
        "SourceIdentity",
        "Tags",
        "TransitiveTagKeys",
      ],
      response: (output) => ({
        credentials: auditedCredentials(output.Credentials),
        assumedRoleUser: {
          assumedRoleId: output.AssumedRoleUser?.AssumedRoleId ?? null,
          arn: output.AssumedRoleUser?.Arn ?? null,
        },
        ...(output.SourceIdentity !== undefined && { sourceIdentity: output.SourceIdentity }),
      }),
    },
    resources: (input, call) => uses(dependencies, input, call),
    async handle(input, call) {
      const role = await dependencies.identities.role(call.records, input.RoleArn);
      assert(role !== undefined, "a role that was allowed exists");
      const chained = call.caller.kind === "role-session";
      const seconds = roleSeconds(input.DurationSeconds, role, chained);
      const { tags, transitiveTagKeys } = carriedTags(input, sessionOf(call));
      const { content, packed } = await checkedContent(
        dependencies.identities,
        call,
        role.accountId,
        input,
        tags,
      );
      const sourceIdentity = sessionOf(call)?.sourceIdentity ?? input.SourceIdentity;
      const session = {
        sessionName: input.RoleSessionName,
        seconds,
        claims: { ...content, transitiveTagKeys, sourceIdentity },
      };
      return {
        output: {
          ...assumedRole(dependencies, call, role, session),
          ...packed,
          ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
        },
      };
    },
  };
}

function sessionOf({ caller }: Call): Session | undefined {
  return caller.kind === "role-session" ? caller.session : undefined;
}

async function uses(
  { identities }: StsDependencies,
  input: Input,
  call: Call,
): Promise<readonly ResourceUse[]> {
  const { caller } = call;
  if (caller.kind === "root") throw denied(call, "Roles may not be assumed by root accounts.");
  if (caller.kind === "federated-user") {
    throw denied(call, "Cannot call AssumeRole with federated user credentials");
  }
  if (input.TokenCode !== undefined || input.SerialNumber !== undefined) throw mfaFailed(call);
  const before = sessionOf(call);
  const { tags, transitiveTagKeys } = carriedTags(input, before);
  const sourceIdentity = before?.sourceIdentity ?? input.SourceIdentity;
  if (input.SourceIdentity !== undefined && input.SourceIdentity !== sourceIdentity) {
    throw denied(call, "The source identity of the calling session cannot be changed.");
  }
  const role = await identities.role(call.records, input.RoleArn);
  const context: ConditionContext = {
    ...tagConditions(tags),
    "sts:rolesessionname": input.RoleSessionName,
    ...(input.ExternalId !== undefined && { "sts:externalid": input.ExternalId }),
    ...(sourceIdentity !== undefined && { "sts:sourceidentity": sourceIdentity }),
    ...(transitiveTagKeys.length > 0 && { "sts:transitivetagkeys": transitiveTagKeys }),
  };
  const use = (action?: string) => trustUse(input.RoleArn, role, context, action);
  return [
    use(),
    ...(Object.keys(tags).length > 0 ? [use("sts:TagSession")] : []),
    ...(sourceIdentity !== undefined ? [use("sts:SetSourceIdentity")] : []),
  ];
}

/**
 * Tags of the new session: those of the request, and the transitive ones of the calling session.
 */
function carriedTags(
  input: Input,
  before: Session | undefined,
): { readonly tags: Tags; readonly transitiveTagKeys: readonly string[] } {
  const requested = sessionTags(input.Tags);
  const names = new Set(Object.keys(requested).map((name) => name.toLowerCase()));
  const wanted = input.TransitiveTagKeys ?? [];
  const inherited = before?.transitiveTagKeys ?? [];
  const conflicting = [...names, ...wanted.map((name) => name.toLowerCase())];
  if (inherited.some((name) => conflicting.includes(name.toLowerCase()))) {
    throw invalidParameter(
      "One of the specified transitive tag keys can't be set because it conflicts with a " +
        "transitive tag key from the calling session.",
    );
  }
  if (wanted.some((name) => !names.has(name.toLowerCase()))) {
    throw invalidParameter(
      "The specified transitive tag key must be included in the requested tags.",
    );
  }
  const from = before?.tags ?? {};
  const kept = inherited.flatMap((name) =>
    Object.hasOwn(from, name) ? [[name, from[name] ?? ""] as const] : [],
  );
  return {
    tags: { ...Object.fromEntries(kept), ...requested },
    transitiveTagKeys: [...inherited, ...wanted],
  };
}
