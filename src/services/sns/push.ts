import { formatArn, parseArn } from "../../kernel/arn.ts";
import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { ResourceUse } from "../../kernel/operation.ts";
import { type RecordScope, recordKind } from "../../kernel/records.ts";
import { invalidParameter } from "./errors.ts";

export type PushAttributes = Readonly<Record<string, string>>;

/**
 * An application on a push platform; id: `GCM/name`. DIFFERS: Sealpost speaks to no push platform,
 * so the platform's credentials are checked for and forgotten.
 */
export interface PlatformApplication {
  readonly arn: string;
  readonly attributes: PushAttributes;
}

/** A device of an application; id: `GCM/name/uuid`. */
export interface PlatformEndpoint {
  readonly arn: string;
  /** Enabled, Token and, where given, CustomUserData. */
  readonly attributes: PushAttributes;
}

export const applicationKind = recordKind<PlatformApplication>("sns.platform-application");
export const endpointKind = recordKind<PlatformEndpoint>("sns.platform-endpoint");

/** AWS: the keys of messages with a structure, too. */
export const platforms = [
  "ADM",
  "APNS",
  "APNS_SANDBOX",
  "APNS_VOIP",
  "APNS_VOIP_SANDBOX",
  "APNS_PASSBOOK",
  "APNS_PASSBOOK_SANDBOX",
  "MACOS",
  "MACOS_SANDBOX",
  "BAIDU",
  "GCM",
  "MPNS",
  "WNS",
] as const;

export interface PushReference {
  readonly arn: string;
  readonly id: string;
  readonly scope: RecordScope;
}

export function applicationArn({ accountId, region }: RecordScope, id: string): string {
  return formatArn("sns", region, accountId, `app/${id}`);
}

export function endpointArn({ accountId, region }: RecordScope, id: string): string {
  return formatArn("sns", region, accountId, `endpoint/${id}`);
}

/** Reads `…:app/GCM/name`. Throws InvalidParameter. */
export function applicationReference(call: Call, arn: string): PushReference {
  return reference(call, arn, /^app\/([A-Z_]+\/[A-Za-z0-9._-]+)$/, "PlatformApplicationArn");
}

/** Reads `…:endpoint/GCM/name/uuid`. Throws InvalidParameter. */
export function endpointReference(call: Call, arn: string, parameter = "EndpointArn") {
  return reference(call, arn, /^endpoint\/([A-Z_]+\/[A-Za-z0-9._-]+\/[0-9a-f-]{36})$/, parameter);
}

/** AWS?: the texts, in the manner of those for topics. */
function reference(call: Call, arn: string, form: RegExp, parameter: string): PushReference {
  const parts = arn.split(":");
  if (parts.length < 6) {
    const text = `An ARN must have at least 6 elements, not ${parts.length}`;
    throw invalidParameter(`${parameter} Reason: ${text}`);
  }
  const parsed = parseArn(arn);
  const id = form.exec(parsed?.resource ?? "")?.[1];
  if (parsed?.service !== "sns" || parsed.region !== call.region || id === undefined) {
    throw invalidParameter(parameter);
  }
  return { arn, id, scope: { accountId: parsed.accountId, region: parsed.region } };
}

/** What authorisation decides for a call on one of them; they have no policy of their own. */
export function pushUses({ arn, scope }: PushReference): readonly ResourceUse[] {
  return [{ arn, accountId: scope.accountId }];
}

export function applicationDoesNotExist(): Refusal {
  return new Refusal("NotFoundException", "PlatformApplication does not exist");
}

export function endpointDoesNotExist(): Refusal {
  return new Refusal("NotFoundException", "Endpoint does not exist");
}

/** Throws NotFound. */
export async function requireApplication(call: Call, { scope, id }: PushReference) {
  const found = await applicationKind.get(call.records, scope, id);
  if (!found) throw applicationDoesNotExist();
  return found;
}

/** Throws NotFound. */
export async function requireEndpoint(call: Call, { scope, id }: PushReference) {
  const found = await endpointKind.get(call.records, scope, id);
  if (!found) throw endpointDoesNotExist();
  return found;
}

/** The application that an endpoint belongs to. */
export function applicationIdOf(endpointId: string): string {
  return endpointId.slice(0, endpointId.lastIndexOf("/"));
}

/** Attributes with others over them. Throws InvalidParameter for a name that there is not. */
export function mergePush(
  before: PushAttributes,
  given: Readonly<Record<string, string>>,
  known: ReadonlySet<string>,
): PushAttributes {
  for (const [name, value] of Object.entries(given)) {
    // AWS?: the texts.
    if (!known.has(name))
      throw invalidParameter(`Attributes Reason: Invalid attribute name: ${name}`);
    if (name === "Enabled" && !/^(true|false)$/i.test(value)) {
      throw invalidParameter(
        "Attributes Reason: Invalid value for attribute: Enabled: must be true or false",
      );
    }
  }
  const { Enabled } = given;
  return { ...before, ...given, ...(Enabled !== undefined && { Enabled: Enabled.toLowerCase() }) };
}
