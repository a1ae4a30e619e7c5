import { partition } from "../../kernel/arn.ts";
import { splitArn } from "./arns.ts";
import { PolicyError, shown } from "./errors.ts";

/** Throws PolicyError unless the text is `*` or `vendor:Name`, wildcards in the name. */
export function checkAction(text: string, path: string): void {
  if (text === "*") return;
  const colon = text.indexOf(":");
  if (colon < 1) {
    const reason = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    throw new PolicyError(path, `${reason} (\`${shown(text)}\`)`);
  }
  if (text.includes(":", colon + 1)) {
    throw new PolicyError(
      path,
      `Actions/Condition can contain only one colon. (\`${shown(text)}\`)`,
    );
  }
  if (!/^[A-Za-z0-9-]+$/.test(text.slice(0, colon))) {
    throw new PolicyError(path, `Vendor ${shown(text.slice(0, colon))} is not valid`);
  }
  if (!/^[A-Za-z0-9_*?-]+$/.test(text.slice(colon + 1))) {
    throw new PolicyError(path, `\`${shown(text)}\` is not an action`);
  }
}

/**
 * Throws PolicyError unless the text is `*` or an ARN of six parts with a service in it. A blank
 * before or after it is named, since it is easy to overlook.
 */
export function checkResource(text: string, path: string, arnsOnly: boolean): void {
  if (text === "*") return;
  const blank = text.startsWith(text.trimStart()) ? "ends" : "begins";
  if (text !== text.trim()) {
    throw new PolicyError(
      path,
      `Resource ${shown(text)} must be in ARN format or "*": \`${shown(text)}\` ${blank} with a ` +
        "blank",
    );
  }
  if (!arnsOnly) {
    if (text === "") throw new PolicyError(path, "Policy statement must contain resources.");
    return;
  }
  const parts = splitArn(text);
  if (parts === undefined || parts[0] !== "arn") {
    throw new PolicyError(path, `Resource ${shown(text)} must be in ARN format or "*".`);
  }
  const [, partitionName = "", vendor = "", ...rest] = parts;
  if (partitionName !== partition && partitionName !== "*") {
    const reason = `Partition "${shown(partitionName)}" is not valid for resource`;
    throw new PolicyError(path, `${reason} "${shown(text)}".`);
  }
  if (!/^[a-z0-9-]+$/.test(vendor)) {
    throw new PolicyError(
      path,
      `Resource vendor must be fully qualified and cannot contain regexes. (\`${shown(text)}\`)`,
    );
  }
  if (rest.slice(0, 2).some((part) => part.includes("${"))) {
    throw new PolicyError(
      path,
      `policy variables are allowed after the fifth colon only (\`${shown(text)}\`)`,
    );
  }
}
