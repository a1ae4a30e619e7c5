import { Refusal } from "../kernel/errors.ts";

/**
 * Why a request is not who it says. Each kind has one AWS code per protocol.
 *
 * - `missing-token`: no credentials where some are needed
 * - `incomplete`: the header or query form is malformed
 * - `unknown-key`: access key unknown, deleted or inactive, or its session token is wrong; AWS does
 *   not tell these apart
 * - `expired-token`: the session behind a temporary key is over
 * - `expired`, `not-yet-current`: the signature's own time is outside the window
 * - `scope-mismatch`: the credential scope names another day, service or terminator
 * - `sigv2`, `sigv4a`: signature versions that this server refuses by name
 */
export type AuthFailureKind =
  | "missing-token"
  | "incomplete"
  | "unknown-key"
  | "bad-signature"
  | "expired-token"
  | "expired"
  | "not-yet-current"
  | "scope-mismatch"
  | "sigv2"
  | "sigv4a";

/** Authentication failed. The gateway turns it into a refusal once it knows the protocol. */
export class AuthFailure extends Error {
  override readonly name = "AuthFailure";
  readonly kind: AuthFailureKind;

  constructor(kind: AuthFailureKind, message: string = textOf[kind]) {
    super(message);
    this.kind = kind;
  }
}

const signatureText =
  "The request signature we calculated does not match the signature you provided. Check your AWS " +
  "Secret Access Key and signing method. Consult the service documentation for details.";

/** AWS: the texts of the common errors; the gateway adds nothing to them. */
const textOf: Readonly<Record<AuthFailureKind, string>> = {
  "missing-token": "Request is missing Authentication Token",
  incomplete: "The request signature does not conform to AWS standards.",
  "unknown-key": "The security token included in the request is invalid.",
  "bad-signature": signatureText,
  "expired-token": "The security token included in the request is expired",
  expired: "Signature expired",
  "not-yet-current": "Signature not yet current",
  "scope-mismatch": signatureText,
  sigv2:
    "Signature Version 2 is not supported. Please use AWS Signature Version 4 " +
    "(AWS4-HMAC-SHA256).",
  sigv4a:
    "Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not supported. Please use AWS Signature " +
    "Version 4 (AWS4-HMAC-SHA256).",
};

interface Code {
  readonly query: readonly [code: string, status: number];
  readonly json: readonly [code: string, status: number];
}

const mismatch: Code = {
  query: ["SignatureDoesNotMatch", 403],
  json: ["InvalidSignatureException", 400],
};
const incomplete: Code = {
  query: ["IncompleteSignature", 400],
  json: ["IncompleteSignatureException", 400],
};

/** AWS: codes by protocol family, from the common errors of the query and JSON front ends. */
const codeOf: Readonly<Record<AuthFailureKind, Code>> = {
  "missing-token": {
    query: ["MissingAuthenticationToken", 403],
    json: ["MissingAuthenticationTokenException", 400],
  },
  incomplete,
  "unknown-key": {
    query: ["InvalidClientTokenId", 403],
    json: ["UnrecognizedClientException", 400],
  },
  "bad-signature": mismatch,
  "expired-token": { query: ["ExpiredToken", 403], json: ["ExpiredTokenException", 400] },
  expired: mismatch,
  "not-yet-current": mismatch,
  "scope-mismatch": mismatch,
  // AWS?: no source for the code of an old signature version; the header form is what is wrong.
  sigv2: incomplete,
  sigv4a: incomplete,
};

/** The refusal that the client gets: AWS's code and status for its protocol, and the text. */
export function authFailureRefusal(
  failure: AuthFailure,
  protocol: "json" | "query" | "query-json",
  _service?: string,
): Refusal {
  const [code, status] = codeOf[failure.kind][protocol === "json" ? "json" : "query"];
  return new Refusal(code, failure.message, { status });
}
