import type { Call } from "../kernel/call.ts";
import type { Caller } from "../kernel/caller.ts";
import type { Json } from "../kernel/json.ts";
import type { JsonObject } from "../kernel/records.ts";

/** AWS: `userIdentity` as the caller's own account sees it. */
export function userIdentity(call: Call): Json {
  const { caller, via } = call;
  const invokedBy: JsonObject = via === undefined ? {} : { invokedBy: via };
  switch (caller.kind) {
    case "root":
      return {
        type: "Root",
        principalId: caller.principalId,
        arn: caller.arn,
        accountId: caller.accountId,
        accessKeyId: caller.accessKeyId,
        ...invokedBy,
      };
    case "user":
      return {
        type: "IAMUser",
        principalId: caller.principalId,
        arn: caller.arn,
        accountId: caller.accountId,
        accessKeyId: caller.accessKeyId,
        userName: caller.userName,
        ...invokedBy,
      };
    case "service":
      return { type: "AWSService", invokedBy: caller.service };
    case "anonymous":
      return {
        type: "AWSAccount",
        principalId: "",
        accountId: "ANONYMOUS_PRINCIPAL",
        ...invokedBy,
      };
  }
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
  if (caller.kind === "user") return caller.userName;
  return caller.kind === "root" ? "root" : "";
}

export function accessKeyIdOf(caller: Caller): string {
  return caller.kind === "user" || caller.kind === "root" ? caller.accessKeyId : "";
}

/** AWS: where a call came from; calls of services show the service. */
export function sourceOf(call: Call): { readonly address: string; readonly userAgent: string } {
  const service = call.via ?? (call.caller.kind === "service" ? call.caller.service : undefined);
  if (service !== undefined) return { address: service, userAgent: service };
  return { address: call.transport.sourceIp, userAgent: call.transport.userAgent };
}

/** AWS: absent for calls of services and for plain HTTP. */
export function tlsDetails(call: Call): Json | undefined {
  const { tls, baseUrl } = call.transport;
  if (!tls || call.via !== undefined || call.caller.kind === "service") return undefined;
  return {
    tlsVersion: tls.version,
    cipherSuite: tls.cipherSuite,
    clientProvidedHostHeader: new URL(baseUrl).host,
  };
}
