import type { Call } from "../../kernel/call.ts";
import { callerName } from "../../kernel/caller.ts";
import { Refusal } from "../../kernel/errors.ts";

export function validationError(message: string): Refusal {
  return new Refusal("ValidationError", message, { status: 400 });
}

export function invalidParameter(message: string): Refusal {
  return new Refusal("InvalidParameterValue", message, { status: 400 });
}

export function malformedPolicy(message: string): Refusal {
  return new Refusal("MalformedPolicyDocument", message, { status: 400 });
}

export function invalidIdentityToken(message: string): Refusal {
  return new Refusal("InvalidIdentityToken", message, { status: 400 });
}

/** A denial that no policy decides. */
export function denied(call: Call, message: string): Refusal {
  const action = `sts:${call.operation}`;
  const denial = { action, resource: "*", reason: message, explicit: true, statements: [] };
  return new Refusal("AccessDenied", message, { status: 403, denial });
}

/** AWS: there is no device to ask, so no code can be right. */
export function mfaFailed(call: Call): Refusal {
  const text = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
  return denied(call, `${text} (${callerName(call.caller)} has no MFA device)`);
}
