import type { Credentials } from "@aws-sdk/client-sts";
import type { Json } from "../../kernel/json.ts";
import type { SessionClaims } from "../../kernel/session.ts";
import type { Wire } from "../../kernel/wire-types.ts";
import type { StsDependencies } from "./dependencies.ts";

/** Makes temporary credentials that last `seconds` by the system clock. */
export function issueCredentials(
  { sessions, systemClock }: Pick<StsDependencies, "sessions" | "systemClock">,
  seconds: number,
  claims: Omit<SessionClaims, "expiresMs">,
): Wire<Credentials> {
  // Whole seconds: answers show no more.
  const expiresMs = Math.ceil(systemClock.now() / 1000 + seconds) * 1000;
  const issued = sessions.issue({ ...claims, expiresMs });
  return {
    AccessKeyId: issued.accessKeyId,
    SecretAccessKey: issued.secretAccessKey,
    SessionToken: issued.sessionToken,
    Expiration: expiresMs,
  };
}

/** Credentials in the answer of an audit record. DIFFERS: AWS shows the session token as well. */
export function auditedCredentials(credentials: Wire<Credentials> | undefined): Json {
  if (!credentials) return null;
  const { AccessKeyId: accessKeyId, Expiration } = credentials;
  return { accessKeyId, expiration: new Date(Expiration).toISOString() };
}
