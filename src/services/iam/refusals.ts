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

/** What AWS offers and this server does not yet: said plainly, never accepted silently. */
export function notAvailable(what: string): Refusal {
  return validationError(`${what} is not available yet.`);
}
