import { invalidParameter } from "./refusals.ts";

/** AWS: the most that one listing answers. */
export const resultsMax = 1000;

/** Throws InvalidParameterValue if out of range. undefined: everything up to `resultsMax`. */
export function checkMaxResults(count: number | undefined): number | undefined {
  if (count !== undefined && (count < 1 || count > resultsMax)) {
    throw invalidParameter(
      "Value for parameter MaxResults is invalid. " +
        "Reason: MaxResults must be an integer between 1 and 1000.",
    );
  }
  return count;
}

/** A token names the last entry of its page. It opens nothing that the caller may not list. */
export function makeNextToken(lastName: string): string {
  return Buffer.from(`1 ${lastName}`).toString("base64");
}

/** The last name of the page before; undefined: from the start. Throws InvalidParameterValue. */
export function readNextToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const name = /^1 ([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/.exec(
    Buffer.from(token, "base64").toString(),
  )?.[1];
  if (name === undefined) throw invalidParameter("Invalid or expired next token.");
  return name;
}
