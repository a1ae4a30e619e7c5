import { compileDocument } from "../../auth/policy/compile.ts";
import { type PolicyDocument, parsePolicy } from "../../auth/policy/document.ts";
import { PolicyError } from "../../auth/policy/errors.ts";
import type { AttachedPolicy, Principals } from "../../kernel/policy.ts";
import type { RecordView } from "../../kernel/records.ts";
import { invalidParameter } from "./errors.ts";
import { checkPolicySize, isTopicAction } from "./topic-policy.ts";

/**
 * A topic policy as its author wrote it, checked, with the users and roles that it names resolved.
 *
 * Throws InvalidParameter: `Policy Error: PrincipalNotFound`, `Policy statement action out of
 * service scope!`, else `Policy Error: ` and what is wrong. DIFFERS: AWS only says `null` there.
 */
export async function saveTopicPolicy(
  principals: Principals,
  view: RecordView,
  text: string,
  prefix = "",
): Promise<AttachedPolicy> {
  const document = readPolicy(text, prefix);
  const foreign = document.statements.some(({ action }) =>
    action?.values.some((name) => !isTopicAction(name)),
  );
  if (foreign) throw invalidParameter(`${prefix}Policy statement action out of service scope!`);
  checkPolicySize(text, document.statements.length);
  const principalIds: [string, string][] = [];
  for (const { principal } of document.statements) {
    for (const entry of principal?.values ?? []) {
      if (entry.kind !== "identity") continue;
      const id = await principals.resolve(view, entry.arn);
      if (id === undefined) throw invalidParameter(`${prefix}Policy Error: PrincipalNotFound`);
      principalIds.push([entry.arn, id]);
    }
  }
  return { text, principalIds: Object.fromEntries(principalIds) };
}

function readPolicy(text: string, prefix: string): PolicyDocument {
  try {
    const document = parsePolicy(text, "resource");
    compileDocument(document, "resource", "strict");
    return document;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw invalidParameter(`${prefix}Policy Error: ${error.message}`);
  }
}
