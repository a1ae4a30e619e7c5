import { Refusal } from "../../kernel/errors.ts";

/** AWS: every client error of CloudTrail is HTTP 400. */
export function refuse(code: string, message: string): Refusal {
  return new Refusal(code, message, { status: 400 });
}

export function unknownTrail(name: string, accountId: string): Refusal {
  return refuse("TrailNotFoundException", `Unknown trail: ${name} for the user: ${accountId}`);
}

/** AWS?: the text. */
export function invalidArn(arn: string): Refusal {
  return refuse("CloudTrailARNInvalidException", `The ARN ${arn} is not the ARN of a trail.`);
}

/** What AWS offers and this server does not: said plainly, never accepted silently. */
export function notOffered(code: string, what: string): Refusal {
  return refuse(code, `${what} is not offered by this server.`);
}
