import { Refusal } from "../../kernel/errors.ts";

/** The refusals of SQS, each said once. Codes are error shapes, or query codes without a shape. */

export const queueDoesNotExist = () =>
  new Refusal("QueueDoesNotExist", "The specified queue does not exist.");

export const missingParameter = (name: string) =>
  new Refusal("MissingParameter", `The request must contain the parameter ${name}.`);

export const invalidParameter = (message: string) => new Refusal("InvalidParameterValue", message);

/** `Value 11 for parameter X is invalid. Reason: …` */
export const invalidValue = (value: string | number, name: string, reason: string) =>
  invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: ${reason}`);

export const unknownAttribute = (name: string) =>
  new Refusal("InvalidAttributeName", `Unknown Attribute ${name}.`);

export const invalidAttributeValue = (name: string, reason?: string) =>
  new Refusal(
    "InvalidAttributeValue",
    `Invalid value for the parameter ${name}.${reason ? ` Reason: ${reason}` : ""}`,
  );

/** AWS: a FIFO queue takes a handle only while it holds its message. */
export const expiredReceiptHandle = (handle: string) =>
  invalidValue(handle, "ReceiptHandle", "The receipt handle has expired.");

/** A value that must be there: the wire checks it too, calls between services do not pass there. */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw missingParameter(name);
  return value;
}
