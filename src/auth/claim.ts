import { hash } from "node:crypto";
import { memoText } from "../kernel/memo.ts";
import type { HeaderValues, QueryPair } from "./canonical.ts";
import { canonicalHeaders, queryPairs } from "./canonical.ts";
import { AuthFailure } from "./failure.ts";
import { readHttpTime, readScope, readTime, type SigningTime } from "./scope.ts";
import type { ClaimedScope } from "./signing-keys.ts";

/** What of a request the signature covers, as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Raw and undecoded, without the query. */
  readonly path: string;
  /** Raw, without the question mark; `""` if there is none. */
  readonly query: string;
  readonly headers: HeaderValues;
}

/** Who a request says it is from, read before its body; nothing of it is proven yet. */
export interface SignedClaim extends SigningTime {
  readonly scope: ClaimedScope;
  readonly signedHeaders: SignedNames;
  /** 64 hex digits. */
  readonly signature: string;
  readonly presigned: boolean;
  /** Presigned form only: how long it lives. */
  readonly expiresSeconds?: number;
  readonly sessionToken?: string;
  /** Value of x-amz-content-sha256, if sent. */
  readonly contentSha256?: string;
  /** `name:value` lines of the signed headers. */
  readonly canonicalHeaders: string;
}

export const algorithm = "AWS4-HMAC-SHA256";
const sigV4a = "AWS4-ECDSA-P256-SHA256";

/** Seven days: the longest life of a presigned request. */
export const presignedSecondsMax = 604_800;
/** AWS?: a presigned request of the query services without X-Amz-Expires; STS gives 15 minutes. */
const presignedSecondsDefault = 900;

/**
 * Reads the claim of a request, in header or presigned form; undefined: the request is unsigned.
 * Throws AuthFailure (`incomplete`, `scope-mismatch`, `bad-signature`, `sigv2`, `sigv4a`) when the
 * form is wrong, which is known before the body is read.
 */
export function readClaim(request: SignedRequest): SignedClaim | undefined {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const pairs = request.query === "" ? [] : queryPairs(request.query);
  const parameters = presignParameters(pairs);
  if (authorization === undefined) {
    return parameters === undefined ? undefined : presignedClaim(headers, parameters);
  }
  if (parameters !== undefined) {
    const found = parameters.has("X-Amz-Algorithm") ? "X-Amz-Algorithm" : "X-Amz-Signature";
    throw new AuthFailure(
      "incomplete",
      `Found both '${found}' as a query-string param and 'Authorization' as HTTP header.`,
    );
  }
  return headerClaim(headers, authorization);
}

/**
 * Refuses Signature Version 2 in the body of a query-protocol form, whose parameters only the body
 * holds. Throws AuthFailure `sigv2`.
 */
export function refuseSignatureV2(parameters: { has(name: string): boolean }): void {
  if (parameters.has("AWSAccessKeyId") && parameters.has("Signature")) {
    throw new AuthFailure("sigv2");
  }
}

function headerClaim(headers: HeaderValues, authorization: string): SignedClaim {
  const blank = authorization.indexOf(" ");
  const scheme = blank < 0 ? authorization : authorization.slice(0, blank);
  checkAlgorithm(scheme);
  const { credential, signedHeaders, signature } = authorizationFields(authorization, scheme);
  const signedDate = headers.get("x-amz-date");
  const date = signedDate ?? headers.get("date");
  if (!credential || !signedHeaders || !signature || date === undefined) {
    const missing = [
      credential ? "" : "Authorization header requires 'Credential' parameter. ",
      signature ? "" : "Authorization header requires 'Signature' parameter. ",
      signedHeaders ? "" : "Authorization header requires 'SignedHeaders' parameter. ",
      date !== undefined
        ? ""
        : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
    ].join("");
    throw new AuthFailure("incomplete", `${missing}${hashedHeader(authorization)}`);
  }
  const names = signedNames(headers, signedHeaders);
  const { timestamp, timestampMs } = signedDate === undefined ? readHttpTime(date) : readTime(date);
  return {
    scope: readScope(credential, timestamp),
    timestamp,
    timestampMs,
    signedHeaders: names,
    signature: readSignature(signature),
    presigned: false,
    sessionToken: headers.get("x-amz-security-token"),
    contentSha256: headers.get("x-amz-content-sha256"),
    canonicalHeaders: canonicalHeaders(headers, names.names),
  };
}

function checkAlgorithm(scheme: string): void {
  if (scheme === algorithm) return;
  if (scheme === "AWS") throw new AuthFailure("sigv2");
  if (scheme === sigV4a) throw new AuthFailure("sigv4a");
  throw new AuthFailure("incomplete", `Unsupported AWS 'algorithm': '${scheme.slice(0, 64)}'.`);
}

interface AuthorizationFields {
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
}

/** As nearly every client writes them. */
const usualFields =
  /^AWS4-HMAC-SHA256 Credential=([^, =]+), ?SignedHeaders=([^, =]+), ?Signature=([^, =]+)$/;

function authorizationFields(whole: string, scheme: string): AuthorizationFields {
  const usual = usualFields.exec(whole);
  if (usual) return { credential: usual[1], signedHeaders: usual[2], signature: usual[3] };
  const fields = new Map<string, string>();
  for (const part of whole.slice(scheme.length).split(",")) {
    const field = part.trim();
    const equals = field.indexOf("=");
    if (equals < 0) {
      if (field === "") continue;
      throw new AuthFailure(
        "incomplete",
        "Invalid key=value pair (missing equal-sign) in Authorization header " +
          `(hashed with SHA-256 and encoded with Base64): '${digest(whole)}'.`,
      );
    }
    const name = field.slice(0, equals);
    if (fields.has(name)) {
      throw new AuthFailure("incomplete", `Authorization header has '${name.slice(0, 64)}' twice.`);
    }
    fields.set(name, field.slice(equals + 1));
  }
  return {
    credential: fields.get("Credential"),
    signedHeaders: fields.get("SignedHeaders"),
    signature: fields.get("Signature"),
  };
}

function hashedHeader(authorization: string): string {
  return `(Hashed with SHA-256 and encoded with Base64) Authorization=${digest(authorization)}`;
}

function digest(text: string): string {
  return hash("sha256", Buffer.from(text, "latin1"), "base64");
}

/** The presigning parameters of a query; undefined if it is not presigned. */
function presignParameters(pairs: readonly QueryPair[]): ReadonlyMap<string, string> | undefined {
  if (pairs.length === 0) return undefined;
  const parameters = new Map<string, string>();
  const names = new Set<string>();
  for (const { name, value } of pairs) {
    names.add(name);
    if (!name.startsWith("X-Amz-")) continue;
    if (parameters.has(name) && presignNames.has(name)) {
      throw new AuthFailure("incomplete", `AWS query-string parameter '${name}' is given twice.`);
    }
    parameters.set(name, value);
  }
  refuseSignatureV2(names);
  return parameters.has("X-Amz-Algorithm") || parameters.has("X-Amz-Signature")
    ? parameters
    : undefined;
}

const presignNames = new Set([
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-Signature",
  "X-Amz-SignedHeaders",
]);

function presignedClaim(
  headers: HeaderValues,
  parameters: ReadonlyMap<string, string>,
): SignedClaim {
  const need = (name: string): string => parameters.get(name) ?? "";
  const required = ["Algorithm", "Credential", "Signature", "SignedHeaders", "Date"];
  const missing = required.map((name) => `X-Amz-${name}`).filter((name) => need(name) === "");
  if (missing.length > 0) {
    const texts = missing.map((name) => `AWS query-string parameters must include '${name}'. `);
    throw new AuthFailure("incomplete", `${texts.join("")}Re-examine the query-string parameters.`);
  }
  checkAlgorithm(need("X-Amz-Algorithm"));
  const names = signedNames(headers, need("X-Amz-SignedHeaders"));
  const { timestamp, timestampMs } = readTime(need("X-Amz-Date"));
  return {
    scope: readScope(need("X-Amz-Credential"), timestamp),
    timestamp,
    timestampMs,
    signedHeaders: names,
    signature: readSignature(need("X-Amz-Signature")),
    presigned: true,
    expiresSeconds: readExpires(parameters.get("X-Amz-Expires")),
    sessionToken: parameters.get("X-Amz-Security-Token") ?? headers.get("x-amz-security-token"),
    contentSha256: headers.get("x-amz-content-sha256"),
    canonicalHeaders: canonicalHeaders(headers, names.names),
  };
}

function readExpires(text: string | undefined): number {
  if (text === undefined) return presignedSecondsDefault;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > presignedSecondsMax) {
    throw new AuthFailure(
      "incomplete",
      `X-Amz-Expires must be a number between 1 and ${presignedSecondsMax} seconds.`,
    );
  }
  return seconds;
}

/** The names in SignedHeaders: lower case, sorted. */
export interface SignedNames {
  readonly names: readonly string[];
  /** Joined by semicolons. */
  readonly text: string;
}

function signedNames(headers: HeaderValues, list: string): SignedNames {
  const signed = namesOf(list);
  if (!signed.names.includes("host")) {
    throw new AuthFailure(
      "incomplete",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  // AWS?: the target names the operation, so an unsigned one would let a bystander choose it.
  if (headers.has("x-amz-target") && !signed.names.includes("x-amz-target")) {
    throw new AuthFailure(
      "incomplete",
      "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  return signed;
}

const namesOf = memoText((list): SignedNames => {
  const names = list.toLowerCase().split(";").sort();
  return { names, text: names.join(";") };
});

/** Only 64 lower-case hex digits can be right; AWS compares the text. */
function readSignature(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new AuthFailure("bad-signature");
  return text;
}
