import type { Json } from "../../kernel/json.ts";

/** The policy of a key that was created without one. AWS: Id and Sid as written here. */
export function defaultKeyPolicy(accountId: string): string {
  return prettyPolicy({
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  });
}

/**
 * JSON as AWS prints the policies that it makes itself: two blanks of indent, ` : ` between name
 * and value, lists on one line with their objects opened.
 */
export function prettyPolicy(value: Json): string {
  return print(value, "");
}

function print(value: Json, indent: string): string {
  if (isList(value)) {
    if (value.length === 0) return "[ ]";
    return `[ ${value.map((entry) => print(entry, indent)).join(", ")} ]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)} : ${print(member, inner)}`,
  );
  return members.length === 0 ? "{ }" : `{\n${members.join(",\n")}\n${indent}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
