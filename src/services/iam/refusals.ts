import type { Call } from "../../kernel/call.ts";
import { callerName } from "../../kernel/caller.ts";
import { Refusal } from "../../kernel/errors.ts";

export function noSuchEntity(message: string): Refusal {
  return new Refusal("NoSuchEntity", message, { status: 404 });
}

export function noSuchUser(userName: string): Refusal {
  return noSuchEntity(`The user with name ${userName} cannot be found.`);
}

export function noSuchAccessKey(accessKeyId: string): Refusal {
  return noSuchEntity(`The Access Key with id ${accessKeyId} cannot be found`);
}

export function alreadyExists(message: string): Refusal {
  return new Refusal("EntityAlreadyExists", message, { status: 409 });
}

export function deleteConflict(message: string): Refusal {
  return new Refusal("DeleteConflict", message, { status: 409 });
}

export function limitExceeded(message: string): Refusal {
  return new Refusal("LimitExceeded", message, { status: 409 });
}

export function invalidInput(message: string): Refusal {
  return new Refusal("InvalidInput", message, { status: 400 });
}

export function validationError(message: string): Refusal {
  return new Refusal("ValidationError", message, { status: 400 });
}

export function malformedPolicy(message: string): Refusal {
  return new Refusal("MalformedPolicyDocument", message, { status: 400 });
}

export function unmodifiable(roleName: string): Refusal {
  return new Refusal(
    "UnmodifiableEntity",
    `Cannot perform the operation on the protected role '${roleName}' - this role is only ` +
      "modifiable by AWS",
    { status: 400 },
  );
}

/** A denial that no policy decides. */
export function accessDenied(call: Call, resource: string, why: string): Refusal {
  const action = `${call.service}:${call.operation}`;
  const reason =
    `User: ${callerName(call.caller)} is not authorized to perform: ${action} on resource: ` +
    `${resource} ${why}`;
  const denial = { action, resource, reason, explicit: true, statements: [] };
  return new Refusal("AccessDenied", reason, { status: 403, denial });
}
