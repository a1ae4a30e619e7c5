import type { Call } from "../kernel/call.ts";
import type {
  Caller,
  FederatedUserCaller,
  RoleSessionCaller,
  Session,
  WebIdentityCaller,
} from "../kernel/caller.ts";
import type { Json } from "../kernel/json.ts";
import type { JsonObject } from "../kernel/records.ts";

/** Callers come again and again: the same object while their credential is the same. */
const identityTexts = new WeakMap<Caller, string>();
/** Of services of our own, by name. */
const serviceTexts = new Map<string, string>();

/** AWS: what `around` makes of `userIdentity` as the caller's own account sees it, as JSON text. */
export function identityText(
  call: Call,
  proven: WebIdentityCaller | undefined,
  around: (identity: string) => string,
): string {
  const { caller, via } = call;
  if (via !== undefined || proven !== undefined) {
    return around(JSON.stringify(userIdentity(call, proven)));
  }
  const service = insideService(caller);
  let text = service === undefined ? identityTexts.get(caller) : serviceTexts.get(service);
  if (text === undefined) {
    text = around(JSON.stringify(identityOf(caller)));
    if (service === undefined) identityTexts.set(caller, text);
    else serviceTexts.set(service, text);
  }
  return text;
}

function userIdentity(call: Call, proven?: WebIdentityCaller): Json {
  const { caller, via } = call;
  if (proven !== undefined && caller.kind === "anonymous") return webIdentity(proven);
  const identity = identityOf(caller);
  return via === undefined ? identity : { ...identity, invokedBy: via };
}

function identityOf(caller: Caller): JsonObject {
  switch (caller.kind) {
    case "root":
      return { type: "Root", ...named(caller), ...plainSession(caller.session) };
    case "user":
      return {
        type: "IAMUser",
        ...named(caller),
        userName: caller.userName,
        ...plainSession(caller.session),
      };
    case "role-session":
      return {
        type: "AssumedRole",
        ...named(caller),
        sessionContext: sessionContext(caller.session, roleIssuer(caller)),
      };
    case "federated-user":
      return {
        type: "FederatedUser",
        ...named(caller),
        sessionContext: sessionContext(caller.session, parentIssuer(caller)),
      };
    case "service":
      // DIFFERS: a service outside is known by its credential as well.
      return {
        type: "AWSService",
        invokedBy: caller.service,
        ...(caller.accessKeyId !== undefined && { accessKeyId: caller.accessKeyId }),
      };
    case "anonymous":
      return { type: "AWSAccount", principalId: "", accountId: "ANONYMOUS_PRINCIPAL" };
  }
}

function named(caller: Exclude<Caller, { kind: "service" | "anonymous" }>): JsonObject {
  const { principalId, arn, accountId, accessKeyId } = caller;
  return { principalId, arn, accountId, accessKeyId };
}

function roleIssuer({ roleId, roleArn, accountId, roleName }: RoleSessionCaller): JsonObject {
  return { type: "Role", principalId: roleId, arn: roleArn, accountId, userName: roleName };
}

function parentIssuer({ parentId, parentArn, parentName, accountId }: FederatedUserCaller) {
  const issuer = { principalId: parentId, arn: parentArn, accountId };
  return parentName === undefined
    ? { type: "Root", ...issuer }
    : { type: "IAMUser", ...issuer, userName: parentName };
}

/** AWS: temporary credentials of a user or of root (GetSessionToken) have no issuer. */
function plainSession(session: Session | undefined): JsonObject {
  return session === undefined ? {} : { sessionContext: sessionContext(session, undefined) };
}

function sessionContext(session: Session, issuer: JsonObject | undefined): JsonObject {
  const { issuedMs, federatedProvider, sourceIdentity } = session;
  return {
    ...(issuer && { sessionIssuer: issuer }),
    attributes: { creationDate: secondsTime(issuedMs), mfaAuthenticated: "false" },
    ...(federatedProvider !== undefined && {
      webIdFederationData: { federatedProvider, attributes: {} },
    }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  };
}

/** AWS: who asks for a role with a token of an identity provider. */
function webIdentity({ provider, audience, subject }: WebIdentityCaller): Json {
  return {
    type: "WebIdentityUser",
    principalId: `${provider}:${audience}:${subject}`,
    userName: subject,
    identityProvider: provider,
  };
}

let latest = { seconds: Number.NaN, text: "" };

/** `2026-01-02T03:04:05Z`; most calls end in the same second as the one before. */
export function secondsTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds !== latest.seconds) {
    latest = { seconds, text: `${new Date(ms).toISOString().slice(0, 19)}Z` };
  }
  return latest.text;
}

/** AWS: the copy for the owner of a resource hides who exactly it was in the other account. */
export function foreignIdentity(call: Call): Json {
  const { caller, via } = call;
  if (caller.kind === "service" || caller.kind === "anonymous") return userIdentity(call);
  const invokedBy: JsonObject = via === undefined ? {} : { invokedBy: via };
  return {
    type: "AWSAccount",
    principalId: caller.principalId,
    accountId: caller.accountId,
    ...invokedBy,
  };
}

/** The user name that LookupEvents finds an event by; "" where AWS has none. */
export function usernameOf(caller: Caller): string {
  switch (caller.kind) {
    case "user":
      return caller.userName;
    case "root":
      return "root";
    case "role-session":
      return caller.sessionName;
    case "federated-user":
      return caller.name;
    default:
      return "";
  }
}

export function accessKeyIdOf(caller: Caller): string {
  return caller.kind === "anonymous" ? "" : (caller.accessKeyId ?? "");
}

/**
 * AWS: where a call came from; calls of services show the service. DIFFERS: a service outside
 * has an address of its own, which is shown.
 */
export function sourceOf(call: Call): { readonly address: string; readonly userAgent: string } {
  const service = call.via ?? insideService(call.caller);
  if (service !== undefined) return { address: service, userAgent: service };
  return { address: call.transport.sourceIp, userAgent: call.transport.userAgent };
}

function insideService(caller: Caller): string | undefined {
  return caller.kind === "service" && caller.accessKeyId === undefined ? caller.service : undefined;
}

let latestTls = { version: "", cipherSuite: "", baseUrl: "", text: "" };

/** AWS: absent for calls of services and for plain HTTP; as JSON text. Few clients differ. */
export function tlsDetails(call: Call): string | undefined {
  const { tls, baseUrl } = call.transport;
  if (!tls || call.via !== undefined || insideService(call.caller) !== undefined) return undefined;
  const { version, cipherSuite } = tls;
  const same = latestTls.version === version && latestTls.cipherSuite === cipherSuite;
  if (!same || latestTls.baseUrl !== baseUrl) {
    const text = JSON.stringify({
      tlsVersion: version,
      cipherSuite,
      clientProvidedHostHeader: hostOf(baseUrl),
    });
    latestTls = { version, cipherSuite, baseUrl, text };
  }
  return latestTls.text;
}

/** `https://host:port` without its scheme. */
function hostOf(baseUrl: string): string {
  return baseUrl.slice(baseUrl.indexOf("://") + "://".length);
}

/** AWS: the private endpoint that a call came through; a call of a service came through none. */
export function endpointId(call: Call): string | undefined {
  if (call.via !== undefined || insideService(call.caller) !== undefined) return undefined;
  return call.transport.endpoint?.endpointId;
}
