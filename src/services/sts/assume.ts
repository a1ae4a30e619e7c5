import type { AssumedRoleUser, Credentials } from "@aws-sdk/client-sts";
import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import type { ConditionContext, ResourceUse } from "../../kernel/operation.ts";
import type { SessionClaims } from "../../kernel/session.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { RoleFacts, StsDependencies } from "./dependencies.ts";
import { issueCredentials } from "./issue.ts";
import { validationError } from "./refusals.ts";

const durationSecondsDefault = 3600;
/** AWS: a role assumed by a role's session. */
const chainedSecondsMax = 3600;

/** The account in a role's ARN. Throws ValidationError. */
export function roleAccountId(roleArn: string): string {
  const arn = parseArn(roleArn);
  const right =
    arn?.service === "iam" && /^\d{12}$/.test(arn.accountId) && arn.resource.startsWith("role/");
  if (!right) throw validationError(`${roleArn} is invalid`);
  return arn.accountId;
}

/** How long a session of this role lasts. Throws ValidationError. */
export function roleSeconds(
  requested: number | undefined,
  role: Pick<RoleFacts, "maxSessionSeconds">,
  chained: boolean,
): number {
  if (chained && (requested ?? 0) > chainedSecondsMax) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by " +
        "role chaining.",
    );
  }
  const seconds = requested ?? durationSecondsDefault;
  if (seconds <= role.maxSessionSeconds) return seconds;
  throw validationError(
    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  );
}

/**
 * A role as the thing to authorise. One that is not there has no trust policy, and so nobody learns
 * whether it is.
 */
export function trustUse(
  roleArn: string,
  role: RoleFacts | undefined,
  context: ConditionContext,
  action?: string,
): ResourceUse {
  return {
    arn: roleArn,
    accountId: roleAccountId(roleArn),
    policyKind: "trust",
    ...(role && { policy: role.trust, tags: role.tags }),
    context,
    type: "AWS::IAM::Role",
    ...(action !== undefined && { action }),
  };
}

export interface RoleSession {
  readonly sessionName: string;
  readonly seconds: number;
  readonly claims: Pick<
    SessionClaims,
    "policy" | "policyArns" | "tags" | "transitiveTagKeys" | "sourceIdentity" | "federatedProvider"
  >;
}

/** Credentials for a role, and who one is with them. */
export function assumedRole(
  dependencies: StsDependencies,
  call: Call,
  role: RoleFacts,
  { sessionName, seconds, claims }: RoleSession,
): { Credentials: Wire<Credentials>; AssumedRoleUser: Wire<AssumedRoleUser> } {
  const { accountId, key, roleId, roleName } = role;
  const holder = { kind: "role", key, roleId, sessionName } as const;
  const whole = { ...claims, accountId, holder, issuedMs: call.now };
  return {
    Credentials: issueCredentials(dependencies, seconds, whole),
    AssumedRoleUser: {
      AssumedRoleId: `${roleId}:${sessionName}`,
      Arn: formatArn("sts", "", accountId, `assumed-role/${roleName}/${sessionName}`),
    },
  };
}
