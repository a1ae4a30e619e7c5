import { invalidParameter } from "./errors.ts";

/** AWS: characters of a data protection policy. */
const charactersMax = 30_720;
const version = "2021-06-01";

/**
 * Checks a data protection policy, which is kept and shown. DIFFERS: Sealpost does not look for
 * personal data in messages, so a statement that would have to do something about it is refused
 * rather than kept and passed over. AWS?: the texts. Throws InvalidParameter behind `prefix`.
 */
export function checkDataProtectionPolicy(text: string, prefix = ""): void {
  const refuse = (what: string) =>
    invalidParameter(`${prefix}DataProtectionPolicy Reason: ${what}`);
  if (text.length > charactersMax) throw refuse(`longer than ${charactersMax} characters`);
  const policy = parse(text);
  if (!policy) throw refuse("must be a JSON object");
  const { Name, Version, Statement } = policy;
  for (const name of Object.keys(policy)) {
    if (!["Name", "Description", "Version", "Statement", "Configuration"].includes(name)) {
      throw refuse(`Unrecognized member ${name}`);
    }
  }
  if (typeof Name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(Name))
    throw refuse("Name is invalid");
  if (Version !== version) throw refuse(`Version must be ${version}`);
  if (!Array.isArray(Statement)) throw refuse("Statement must be a list");
  for (const statement of Statement) {
    const problem = statementProblem(statement);
    if (problem !== undefined) throw refuse(problem);
  }
}

function statementProblem(statement: unknown): string | undefined {
  if (!isObject(statement)) return "a statement must be an object";
  const { DataDirection, Principal, DataIdentifier, Operation, Sid } = statement;
  if (DataDirection !== "Inbound" && DataDirection !== "Outbound") {
    return "DataDirection must be Inbound or Outbound";
  }
  if (!isList(Principal)) return "Principal must be a list of ARNs or *";
  if (!isList(DataIdentifier) || DataIdentifier.length === 0) {
    return "DataIdentifier must be a list of ARNs";
  }
  const [operation, ...others] = isObject(Operation) ? Object.keys(Operation) : [];
  if (operation === undefined || others.length > 0) return "Operation must hold one operation";
  if (!["Audit", "Deidentify", "Deny"].includes(operation)) {
    return `Operation ${operation} is not one of Audit, Deidentify and Deny`;
  }
  if (!acts(operation, Operation)) return undefined;
  const named = typeof Sid === "string" ? ` ${Sid}` : "";
  return (
    `Sealpost does not inspect messages, so the statement${named} (${operation}) could not act; ` +
    "leave it out, or audit with a SampleRate of 0"
  );
}

/** An audit of no message at all is the one operation that does nothing. */
function acts(operation: string, given: unknown): boolean {
  if (operation !== "Audit" || !isObject(given)) return true;
  const { Audit } = given;
  return !isObject(Audit) || Number(Audit.SampleRate ?? 99) !== 0;
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const policy: unknown = JSON.parse(text);
    return isObject(policy) ? policy : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
