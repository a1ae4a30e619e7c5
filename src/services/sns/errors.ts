import type { Call } from "../../kernel/call.ts";
import { Refusal } from "../../kernel/errors.ts";

/** `Invalid parameter: …`, the form of nearly all of SNS's validation. */
export function invalidParameter(text: string): Refusal {
  return new Refusal("InvalidParameterException", `Invalid parameter: ${text}`);
}

export function topicDoesNotExist(): Refusal {
  return new Refusal("NotFoundException", "Topic does not exist");
}

export function subscriptionDoesNotExist(): Refusal {
  return new Refusal("NotFoundException", "Subscription does not exist");
}

/** AWS: what a caller of another account hears who owns neither topic nor subscription. */
export function notYourSubscription(): Refusal {
  return new Refusal("AuthorizationErrorException", "Not authorized to access this subscription");
}

/**
 * A refusal of KMS in SNS's words. AWS: KMSAccessDenied, KMSDisabled, KMSInvalidState, KMSNotFound,
 * KMSThrottling, KMSOptInRequired. SNS has no code for a key of the wrong kind. AWS?: state.
 */
const kmsCodes: ReadonlyMap<string, string> = new Map([
  ["AccessDeniedException", "KMSAccessDeniedException"],
  ["DisabledException", "KMSDisabledException"],
  ["KMSInvalidStateException", "KMSInvalidStateException"],
  ["KeyUnavailableException", "KMSInvalidStateException"],
  ["InvalidKeyUsageException", "KMSInvalidStateException"],
  ["NotFoundException", "KMSNotFoundException"],
  ["InvalidArnException", "KMSNotFoundException"],
  ["ValidationException", "KMSNotFoundException"],
  ["ThrottlingException", "KMSThrottlingException"],
  ["LimitExceededException", "KMSThrottlingException"],
  ["OptInRequired", "KMSOptInRequired"],
]);

/**
 * The failure of a KMS call made for a publisher, as SNS tells it. What is no refusal of KMS comes
 * back as it is. DIFFERS: the request id is that of the whole request, by which the audit finds
 * both records; AWS gives the inner call's.
 */
export function kmsFailure(error: unknown, call: Call): unknown {
  if (!(error instanceof Refusal)) return error;
  const code = kmsCodes.get(error.code);
  if (code === undefined) return error;
  const facts =
    `Service: AWSKMS; Status Code: ${error.status ?? 400}; Error Code: ${error.code}; ` +
    `Request ID: ${call.requestId}; Proxy: null`;
  return new Refusal(code, `${error.message} (${facts})`, { denial: error.denial });
}

/** What tagging says of a missing topic. AWS?: the text. */
export function resourceDoesNotExist(): Refusal {
  return new Refusal("ResourceNotFoundException", "Resource does not exist");
}
