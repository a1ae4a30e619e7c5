import type { Call } from "../../kernel/call.ts";
import { callerName } from "../../kernel/caller.ts";
import { Refusal } from "../../kernel/errors.ts";

/** AWS: every client error of KMS is HTTP 400, whatever status the model names. */
export function refuse(code: string, message: string): Refusal {
  return new Refusal(code, message, { status: 400 });
}

export function notFound(message: string): Refusal {
  return refuse("NotFoundException", message);
}

export function validation(message: string): Refusal {
  return refuse("ValidationException", message);
}

/** A member constraint that the model does not carry, in the words of the model's checks. */
export function constraint(member: string, value: string | number | undefined, rule: string) {
  const shown = value === undefined ? "Value" : `Value '${value}'`;
  return validation(
    `1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: ${rule}`,
  );
}

/** What AWS offers and this server has not: said plainly, never accepted silently. */
export function notAvailable(what: string): Refusal {
  return refuse("UnsupportedOperationException", `${what} is not available on this server.`);
}

/** AWS: no message. */
export function invalidCiphertext(): Refusal {
  return refuse("InvalidCiphertextException", "");
}

export function incorrectKey(): Refusal {
  return refuse(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
  );
}

/** A blob whose key is gone, in another region, or hidden from the caller. */
export function unknownCiphertextKey(action: string): Refusal {
  const reason = "the key of the ciphertext does not exist in this region";
  return new Refusal(
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this " +
      "region, or you are not allowed to access.",
    { status: 400, denial: { action, resource: "*", reason, explicit: false, statements: [] } },
  );
}

/** An operation that works in the caller's own account only was given another account's key. */
export function foreignKeyDenied(call: Call, action: string, arn: string): Refusal {
  const reason =
    "because the resource does not exist in this Region, no resource-based policies allow " +
    "access, or a resource-based policy explicitly denies access";
  return new Refusal(
    "AccessDeniedException",
    `User: ${callerName(call.caller)} is not authorized to perform: ${action} on resource: ` +
      `${arn} ${reason}`,
    { status: 400, denial: { action, resource: arn, reason, explicit: false, statements: [] } },
  );
}

/** Nitro enclaves are no part of this server. */
export function requireNoRecipient(recipient: object | undefined): void {
  if (recipient !== undefined) throw notAvailable("Recipient (attestation documents)");
}

/** Comes after authorisation and key state, before the operation itself. */
export function stopAtDryRun(dryRun: boolean | undefined): void {
  if (dryRun === true) {
    throw refuse(
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
  }
}

/**
 * The ciphertext of a Decrypt or ReEncrypt. It may be absent only in a dry run that asks to ignore
 * it and names the key instead; an empty one stands for it then.
 */
export function requireCiphertext(request: {
  readonly blob: Buffer | undefined;
  readonly keyId: string | undefined;
  readonly keyIdMember: string;
  readonly dryRun: boolean | undefined;
  readonly modifiers: readonly string[] | undefined;
}): Buffer {
  const ignored = request.modifiers?.includes("IGNORE_CIPHERTEXT") ?? false;
  if (ignored && request.dryRun === true) {
    if (request.keyId !== undefined) return Buffer.alloc(0);
    throw constraint(request.keyIdMember, undefined, "Member must not be null");
  }
  if (ignored) {
    // AWS?: no recorded text.
    throw validation("DryRunModifiers can only be used when DryRun is true.");
  }
  if (request.blob !== undefined) return request.blob;
  throw constraint("ciphertextBlob", undefined, "Member must not be null");
}
