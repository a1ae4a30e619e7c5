import { verify } from "node:crypto";
import { Refusal } from "../../kernel/errors.ts";
import type { Json } from "../../kernel/json.ts";
import type { JsonObject } from "../../kernel/records.ts";
import type { ProviderFacts } from "./dependencies.ts";
import type { ProviderKey, ProviderKeys } from "./provider-keys.ts";
import { invalidIdentityToken } from "./refusals.ts";

/** A token as it came: nothing of it is believed yet. */
export interface UncheckedToken {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** Without `https://` and a slash at the end. */
  readonly issuer: string;
}

/** A token that its issuer signed for this audience, at a time when it counts. */
export interface CheckedToken {
  readonly subject: string;
  readonly audience: string;
  readonly claims: JsonObject;
}

/** Clocks of issuers may run ahead by this much. */
const skewSeconds = 300;

/** Reads a compact JWT. Throws InvalidIdentityToken. */
export function readToken(text: string): UncheckedToken {
  const parts = text.split(".");
  const [head = "", body = "", tail = ""] = parts;
  const header = partOf(head);
  const claims = partOf(body);
  const signature = bytesOf(tail);
  if (parts.length !== 3 || !header || !claims || !signature) {
    throw invalidIdentityToken("The ID Token provided is not a valid JWT.");
  }
  const { iss } = claims;
  if (typeof iss !== "string" || !iss.startsWith("https://")) {
    throw invalidIdentityToken("Missing a required claim: iss");
  }
  const issuer = iss.slice("https://".length).replace(/\/$/, "");
  return { header, claims, signed: Buffer.from(`${head}.${body}`), signature, issuer };
}

function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, "base64url");
  // The decoder passes over what it does not know; a part has one form only.
  return bytes.length > 0 && bytes.toString("base64url") === part ? bytes : undefined;
}

function partOf(part: string): JsonObject | undefined {
  try {
    const value: Json = JSON.parse(bytesOf(part)?.toString() ?? "");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Checks signature, audience and time. INVARIANT: how a signature is verified follows from the
 * issuer's key; a token's own `alg` must only agree with it, so `none` and mixed-up kinds of keys
 * have no way in. Throws InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError.
 */
export async function checkToken(
  token: UncheckedToken,
  provider: ProviderFacts,
  keys: ProviderKeys,
  nowMs: number,
): Promise<CheckedToken> {
  const { header, claims } = token;
  if (header.crit !== undefined) {
    throw invalidIdentityToken("The ID Token asks for extensions that are not supported.");
  }
  const kid = typeof header.kid === "string" ? header.kid : undefined;
  const found = await keys.of(provider.issuer, kid);
  const candidates = found.filter((key) => kid === undefined || key.keyId === kid);
  if (!candidates.some((key) => header.alg === key.algorithm && holds(token, key))) {
    throw invalidIdentityToken(
      "Couldn't retrieve verification key from your identity provider, please reference " +
        "AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  checkTimes(claims, nowMs);
  const { sub } = claims;
  if (typeof sub !== "string" || sub === "") {
    throw invalidIdentityToken("Missing a required claim: sub");
  }
  return { subject: sub, audience: audienceOf(claims, provider), claims };
}

function holds({ signed, signature }: UncheckedToken, { algorithm, key }: ProviderKey): boolean {
  if (algorithm === "RS256") return verify("sha256", signed, key, signature);
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}

function checkTimes({ exp, nbf, iat }: JsonObject, nowMs: number): void {
  const now = Math.floor(nowMs / 1000);
  if (typeof exp !== "number") throw invalidIdentityToken("Missing a required claim: exp");
  if (exp <= now) {
    throw new Refusal(
      "ExpiredTokenException",
      `Token expired: current date/time ${now} must be before the expiration date/time ${exp}`,
      { status: 400 },
    );
  }
  for (const time of [nbf, iat]) {
    if (typeof time !== "number" || time <= now + skewSeconds) continue;
    throw invalidIdentityToken("The ID Token is not valid yet.");
  }
}

/** AWS: the authorised party where there is one, else the audience; it must be registered. */
function audienceOf({ aud, azp }: JsonObject, { clientIds }: ProviderFacts): string {
  const named = Array.isArray(aud) ? aud : [aud];
  const all = named.filter((one): one is string => typeof one === "string" && one !== "");
  if (all.length === 0) throw invalidIdentityToken("Missing a required claim: aud");
  const wanted = typeof azp === "string" ? [azp, ...all] : all;
  const audience = wanted.find((one) => clientIds.includes(one));
  if (audience === undefined) throw invalidIdentityToken("Incorrect token audience");
  return audience;
}
