import { hash } from "node:crypto";
import { HmacKey, sameHex } from "../crypto/hmac.ts";
import type { EpochMs } from "../kernel/clock.ts";
import { canonicalQuery, canonicalUri, queryPairs } from "./canonical.ts";
import type { SignedClaim, SignedRequest } from "./claim.ts";
import { algorithm } from "./claim.ts";
import { AuthFailure } from "./failure.ts";
import { basicTime } from "./scope.ts";
import type { SigningKeyCache, SigningScope } from "./signing-keys.ts";
import { deriveSigningKey } from "./signing-keys.ts";

export type { SignedClaim, SignedRequest } from "./claim.ts";
export { readClaim, refuseSignatureV2 } from "./claim.ts";
export { AuthFailure, type AuthFailureKind, authFailureRefusal } from "./failure.ts";
export { SigningKeyCache } from "./signing-keys.ts";

/** AWS: the front ends of IAM and STS accept a quarter of an hour; JSON services print 5 or 15. */
export const skewMsDefault = 15 * 60_000;

/**
 * Checks the signature's own time against the system clock: header form within the skew, presigned
 * form until it expires. Throws AuthFailure `expired` or `not-yet-current`.
 */
export function checkClaimTime(claim: SignedClaim, nowMs: EpochMs, skewMs = skewMsDefault): void {
  const minutes = Math.round(skewMs / 60_000);
  if (claim.timestampMs > nowMs + skewMs) {
    throw new AuthFailure(
      "not-yet-current",
      `Signature not yet current: ${claim.timestamp} is still later than ` +
        `${basicTime(nowMs + skewMs)} (${basicTime(nowMs)} + ${minutes} min.)`,
    );
  }
  if (claim.presigned) {
    // AWS?: STS ignores X-Amz-Expires; whoever presigned named this time, so it is kept exactly.
    const untilMs = claim.timestampMs + (claim.expiresSeconds ?? 0) * 1000;
    if (nowMs <= untilMs) return;
    throw new AuthFailure(
      "expired",
      `Signature expired: ${basicTime(untilMs)} is now earlier than ${basicTime(nowMs)}`,
    );
  }
  if (claim.timestampMs >= nowMs - skewMs) return;
  throw new AuthFailure(
    "expired",
    `Signature expired: ${claim.timestamp} is now earlier than ` +
      `${basicTime(nowMs - skewMs)} (${basicTime(nowMs)} - ${minutes} min.)`,
  );
}

/** Throws AuthFailure `scope-mismatch` unless the claim was made for this service. */
export function checkClaimService(claim: SignedClaim, service: string): void {
  if (claim.scope.service === service) return;
  throw new AuthFailure(
    "scope-mismatch",
    `Credential should be scoped to correct service: '${service}'.`,
  );
}

/**
 * Whether the signature is that of this request and body under this secret. `body` are the raw
 * bytes. The comparison takes constant time; the claim must have been read from the same request.
 */
export function verifySignature(
  claim: SignedClaim,
  request: SignedRequest,
  body: Uint8Array,
  secretAccessKey: Buffer,
  keys?: SigningKeyCache,
): boolean {
  const payload = hash("sha256", body, "hex");
  // Services other than S3 always sign the body itself: UNSIGNED-PAYLOAD is a mismatch like others.
  if (claim.contentSha256 !== undefined && claim.contentSha256 !== payload) return false;
  const text = stringToSign(claim, canonicalRequest(claim, request, payload));
  const { scope } = claim;
  const cached = keys?.find(scope, secretAccessKey);
  const key = cached ?? newSigningKey(secretAccessKey, scope);
  const right = sameHex(key.hex(text), claim.signature);
  if (cached === undefined) {
    if (right && keys !== undefined) keys.keep(scope, secretAccessKey, key);
    else key.wipe();
  }
  return right;
}

function newSigningKey(secretAccessKey: Buffer, scope: SigningScope): HmacKey {
  const derived = deriveSigningKey(secretAccessKey, scope);
  const key = new HmacKey(derived);
  derived.fill(0);
  return key;
}

/** The canonical request. Exported for tests with published vectors. */
export function canonicalRequest(
  claim: Pick<SignedClaim, "canonicalHeaders" | "presigned" | "signedHeaders">,
  request: SignedRequest,
  payloadHash: string,
): string {
  const leaveOut = claim.presigned ? "X-Amz-Signature" : undefined;
  const query = request.query === "" ? "" : canonicalQuery(queryPairs(request.query), leaveOut);
  return (
    `${request.method}\n${canonicalUri(request.path)}\n${query}\n${claim.canonicalHeaders}\n` +
    `${claim.signedHeaders.text}\n${payloadHash}`
  );
}

const scratch = Buffer.alloc(4096);

/** For use at once: short texts share one buffer. */
function latin1Bytes(text: string): Buffer {
  if (text.length > scratch.length) return Buffer.from(text, "latin1");
  return scratch.subarray(0, scratch.write(text, "latin1"));
}

function stringToSign(claim: SignedClaim, canonical: string): string {
  // One byte of the wire per character: hashing the string itself would encode it as UTF-8.
  const digest = hash("sha256", latin1Bytes(canonical));
  const { timestamp, scope } = claim;
  const { scopeDate, region, service } = scope;
  return `${algorithm}\n${timestamp}\n${scopeDate}/${region}/${service}/aws4_request\n${digest}`;
}
